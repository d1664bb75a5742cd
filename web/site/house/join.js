// The way in: trust this Pi, make an account, go into the chat. The invitation is what stands behind the # of the
// address, which a browser sends to nobody.
import { Refused, lookUp, register } from "./register.js";
import { keepsOwnCertificates, systemOf } from "./system.js";
import { text, translate } from "./translate.js";

const SHORTEST_PASSWORD = 8;
const TOKEN = /^[A-Za-z0-9]{16,64}$/;
const FORBIDDEN = /["&'/:<>@\s]+/g; // in the local part of an address (RFC 7622, 3.3.1)
const CHECK_MILLISECONDS = 4000;

const { domain, chat, tls } = document.documentElement.dataset;
const token = TOKEN.test(location.hash.slice(1)) ? location.hash.slice(1) : "";
const system = systemOf(navigator);
const find = (id) => document.getElementById(id);
const show = (id, shown = true) => (find(id).hidden = !shown);

/** Whether this browser gets an answer over HTTPS without asking anybody; what the answer is does not matter. */
async function trusted() {
  try {
    await fetch(`https://${location.hostname}/ca.crt`, { mode: "no-cors", cache: "no-store" });
    return true;
  } catch {
    return false;
  }
}

/** On a page that is there over HTTPS already: whether somebody clicked a warning away. */
async function warningIgnored() {
  try {
    await navigator.serviceWorker?.register("/chat/sw.js", { scope: "/chat/" });
    return false;
  } catch (error) {
    return /certificate/i.test(error.message);
  }
}

function showTrust() {
  show("trust");
  for (const steps of document.querySelectorAll("[data-system]")) steps.hidden = steps.dataset.system !== system;
  show("firefox", keepsOwnCertificates(navigator));
  find("get").href = system === "ios" || system === "macos" ? "/ca.mobileconfig" : "/ca.crt";
}

/** Look again and again, since people come back to this page from their settings. */
function watchTrust() {
  let busy = false;
  const look = async () => {
    if (busy || document.hidden) return;
    busy = true;
    const yes = await trusted();
    busy = false;
    find("trusted").textContent = text(yes ? "join.trust.yes" : "join.trust.no");
    if (yes && token) location.replace(`https://${location.host.replace(/:80$/, "")}/join/${location.hash}`);
    if (yes) clearInterval(timer);
  };
  find("check").addEventListener("click", () => {
    find("trusted").textContent = text("join.trust.checking");
    look();
  });
  const timer = setInterval(look, CHECK_MILLISECONDS);
  look();
}

/** "Anna Maria" is anna-maria@…; other scripts stay as they are. */
const username = () => find("name").value.trim().normalize("NFKC").replace(FORBIDDEN, "-").toLowerCase();

function complain(reason) {
  find("complaint").textContent = reason ? text(`join.error.${reason}`) : "";
}

/** Ask for a name and a password; for a password alone where the invitation is for an account that is there. */
async function showAccount() {
  const invitation = { url: `wss://${location.host}/ws`, domain, token };
  let known;
  try {
    known = await lookUp(invitation);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    find("unusable").textContent = text(`join.error.${error.reason}`);
    return show("none");
  }
  show("account");
  if (known.username) {
    find("name").value = known.username;
    find("name").readOnly = true;
  }
  const make = known.reset ? "join.reset.make" : "join.account.make";
  if (known.reset) find("account-title").textContent = text("join.reset.title");
  find("make").textContent = text(make);
  find("app").href = `xmpp:${domain}?register;preauth=${token}`;
  const tellAddress = () =>
    (find("address").textContent = username() ? text(known.reset ? "join.done.address" : "join.account.address", { address: `${username()}@${domain}` }) : "");
  find("name").addEventListener("input", tellAddress);
  tellAddress();
  find("show").addEventListener("change", () => (find("password").type = find("show").checked ? "text" : "password"));
  find("account").addEventListener("submit", async (event) => {
    event.preventDefault();
    const account = { username: username(), password: find("password").value };
    if (!account.username) return complain("name");
    if (account.password.length < SHORTEST_PASSWORD) return complain("short");
    complain("");
    find("make").disabled = true;
    find("make").textContent = text("join.account.making");
    try {
      await register({ ...invitation, ...account });
      showDone(account, known.reset);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      complain(error.reason);
    } finally {
      find("make").disabled = false;
      find("make").textContent = text(make);
    }
  });
}

function showDone(account, reset) {
  const address = `${account.username}@${domain}`;
  const name = find("name").value.trim();
  show("trust", false);
  show("account", false);
  show("done");
  find("welcome").textContent = reset ? text("join.reset.done") : text("join.done.title", { name });
  find("own").textContent = text("join.done.address", { address });
  for (const app of document.querySelectorAll("[data-apps]"))
    app.hidden = app.dataset.apps !== (system === "ios" || system === "android" ? system : "computer");
  // The password is kept in this page until the chat has it, and nowhere else.
  find("chat")?.addEventListener("click", () => openChat({ jid: address, password: account.password }, reset ? "" : name), { once: true });
  (find("chat") ?? find("welcome")).focus();
}

function load(tag, attributes) {
  return new Promise((resolve, reject) => {
    const element = Object.assign(document.createElement(tag), attributes);
    element.onload = resolve;
    element.onerror = reject;
    document.head.append(element);
  });
}

/** Turn this page into the chat. */
async function openChat(credentials, name) {
  await Promise.all([
    load("link", { rel: "stylesheet", href: `${chat}/converse.min.css` }),
    load("link", { rel: "stylesheet", href: `${chat}/chat.css` }),
    load("script", { type: "module", src: `${chat}/converse.min.js` }),
  ]);
  document.body.replaceChildren();
  document.body.className = "converse-fullscreen";
  document.querySelector("link[data-house]").remove();
  history.replaceState(null, "", "/chat/");
  const { nameAfterLogin, prepare, startChat } = await import(`${chat}/chat.js`);
  if (name) nameAfterLogin(credentials.jid, name);
  await startChat(credentials);
  prepare();
}

await translate();
if (location.protocol === "http:" && tls === "local") {
  showTrust();
  watchTrust();
} else {
  if (tls === "local" && (await warningIgnored())) {
    showTrust();
    show("ignored");
    watchTrust();
  }
  if (token) await showAccount();
}
if (!token) show("none");
document.documentElement.classList.add("ready");
