/**
 * The first of the reader's languages that we have, else English.
 *
 * @param {readonly string[]} wanted as navigator.languages has them: "zh-CN", "en".
 * @param {readonly string[]} available the catalogues' names: "zh", "en".
 */
export function languageOf(wanted, available) {
  for (const name of wanted) {
    const short = name.toLowerCase().split("-")[0];
    if (available.includes(short)) return short;
  }
  return "en";
}
