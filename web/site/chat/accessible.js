// What axe finds wrong in Converse 14, put right as its elements appear.

/** Buttons, pictures and languages that a screen reader could not name; selector -> what is done to each. */
const REPAIRS = {
  "converse-popover button:not([aria-label])": (button) =>
    button.setAttribute("aria-label", button.dataset.bsTitle || "?"),
  "img.chat-image:not([alt])": (picture) => picture.setAttribute("alt", decodeURIComponent(picture.src.split("/").pop())),
  // A list's entries are custom elements with the <li> inside.
  ".occupant-list > converse-muc-occupant-list-item:not([role])": (entry) => entry.setAttribute("role", "listitem"),
  ".occupant-list li:not([role])": (entry) => entry.setAttribute("role", "presentation"),
  "converse-root:not([role])": (root) => root.setAttribute("role", "main"),
  // A language is zh-CN in HTML (BCP 47), zh_CN in gettext.
  'converse-root[lang*="_"]': (root) => root.setAttribute("lang", root.lang.replace("_", "-")),
};

function repair(root) {
  for (const [selector, change] of Object.entries(REPAIRS)) root.querySelectorAll(selector).forEach(change);
}

/** Look at everything that is drawn from now on: once a frame, however much changes in it. */
export function watchAccessibility() {
  let due = false;
  const look = () => {
    due = false;
    repair(document);
  };
  new MutationObserver(() => {
    if (!due) requestAnimationFrame(look);
    due = true;
  }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["lang"] });
  look();
}
