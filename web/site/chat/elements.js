// Converse's own name, links and sponsors' pictures (from the internet) give way to this Pi's name. Converse keeps an
// element that is defined already: "we can allow custom elements to be overwritten" (its src/shared/registry.js).

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

class Brand extends HTMLElement {
  connectedCallback() {
    const { domain, chat } = document.documentElement.dataset;
    this.replaceChildren(
      element("a", { class: "house", href: "/" },
        element("img", { src: `${chat}/icon.svg`, alt: "", width: "72", height: "72" }),
        element("span", {}, domain)),
    );
  }
}

class Footer extends HTMLElement {
  connectedCallback() {
    const { chat } = document.documentElement.dataset;
    this.replaceChildren(element("a", { class: "licence", href: `${chat}/LICENSE.converse.txt` }, "Converse.js"));
  }
}

class Nothing extends HTMLElement {}

/** What the empty half of a wide screen shows. */
class Background extends HTMLElement {
  connectedCallback() {
    const { chat } = document.documentElement.dataset;
    if (this.hasAttribute("logo"))
      this.replaceChildren(element("img", { src: `${chat}/icon.svg`, alt: "", width: "96", height: "96" }));
  }
}

export function defineElements() {
  customElements.define("converse-brand-logo", Brand);
  customElements.define("converse-footer", Footer);
  customElements.define("converse-controlbox-navbar", class extends Nothing {});
  customElements.define("converse-bg", Background);
}
