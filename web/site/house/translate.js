// Puts a page into the reader's language. The page itself is English; catalogues are in locales/.
import { languageOf } from "./language.js";

const { domain, house, languages } = document.documentElement.dataset;
let texts = null;

/** A text with its {values} filled in; null while the page is in English and the text is not needed in a script. */
export function text(key, values = {}) {
  const all = { domain, ...values };
  return texts[key].replace(/\{(\w+)\}/g, (whole, name) => all[name] ?? whole);
}

/** Fetch the reader's catalogue, and translate what is on the page. */
export async function translate() {
  const language = languageOf(navigator.languages, languages.split(" "));
  texts = await (await fetch(`${house}/locales/${language}.json`)).json();
  document.documentElement.lang = language === "zh" ? "zh-CN" : language;
  document.querySelectorAll("[data-text]").forEach((element) => (element.textContent = text(element.dataset.text)));
  const title = document.querySelector("title");
  document.title = title.textContent;
}
