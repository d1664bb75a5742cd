// Makes an account with an invitation, over XMPP itself: the token first (XEP-0445), then name and password (XEP-0077).
// ejabberd's mod_invites checks the token; no other door is needed.

const FRAMING = "urn:ietf:params:xml:ns:xmpp-framing";
const REGISTER = "jabber:iq:register";
const PATIENCE_MILLISECONDS = 15_000;

/** Why there is no account; `reason` is the end of a text's key, join.error.REASON. */
export class Refused extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

function build(name, namespace, attributes = {}, ...children) {
  const element = document.implementation.createDocument(namespace, name).documentElement;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  for (const child of children)
    element.append(typeof child === "string" ? child : element.ownerDocument.importNode(child, true));
  return element;
}

/** One question after another over a WebSocket (RFC 7395). */
class Stream {
  constructor(url, domain) {
    this.domain = domain;
    this.socket = new WebSocket(url, "xmpp");
    this.waiting = [];
    this.socket.onmessage = ({ data }) => this.arrived(new DOMParser().parseFromString(data, "text/xml").documentElement);
    this.socket.onerror = this.socket.onclose = () => this.fail(new Refused("unreachable"));
  }

  arrived(element) {
    if (element.localName === "close" || element.localName === "error") return this.fail(new Refused("unreachable"));
    const position = this.waiting.findIndex((one) => one.wants(element));
    if (position >= 0) this.waiting.splice(position, 1)[0].resolve(element);
  }

  fail(error) {
    for (const one of this.waiting.splice(0)) one.reject(error);
  }

  next(wants) {
    return new Promise((resolve, reject) => {
      this.waiting.push({ wants, resolve, reject });
      setTimeout(() => reject(new Refused("unreachable")), PATIENCE_MILLISECONDS);
    });
  }

  send(element) {
    this.socket.send(new XMLSerializer().serializeToString(element));
  }

  async open() {
    await new Promise((resolve, reject) => {
      this.socket.onopen = resolve;
      this.waiting.push({ wants: () => false, resolve, reject });
    });
    this.waiting = [];
    const features = this.next((element) => element.localName === "features");
    this.send(build("open", FRAMING, { to: this.domain, version: "1.0" }));
    return features;
  }

  /** @returns {Promise<Element>} the answer, "result" or "error". */
  ask(type, payload) {
    const id = crypto.randomUUID();
    const answer = this.next((element) => element.localName === "iq" && element.getAttribute("id") === id);
    this.send(build("iq", "jabber:client", { type, to: this.domain, id }, payload));
    return answer;
  }

  close() {
    this.socket.onclose = this.socket.onerror = null;
    this.socket.close();
  }
}

const REASONS = { conflict: "taken", "not-allowed": "token" };
// ejabberd 26.07's mod_invites hides what it was refused with in the text of an internal-server-error:
// "{stanza_error,cancel,undefined,conflict,…".
const HIDDEN = /stanza_error,\w+,\w+,'?([a-z-]+)/;

/** @throws {Refused} where an answer is no result; for a condition without a reason of its own, with `otherwise`. */
function check(answer, otherwise) {
  if (answer.getAttribute("type") === "result") return;
  const error = answer.querySelector("error");
  const condition = error?.textContent.match(HIDDEN)?.[1] ?? error?.firstElementChild?.localName;
  throw new Refused(REASONS[condition] ?? otherwise);
}

async function withToken({ url, domain, token }, act) {
  const stream = new Stream(url, domain);
  try {
    await stream.open();
    check(await stream.ask("set", build("preauth", "urn:xmpp:pars:0", { token })), "token");
    return await act(stream);
  } finally {
    stream.close();
  }
}

/**
 * What an invitation is for. Asking does not use it up.
 *
 * @param {{url: string, domain: string, token: string}} invitation
 * @returns {Promise<{username: string, reset: boolean}>} the name that it is for, "" where that is free to choose;
 *   whether the account is there and gets a new password.
 * @throws {Refused}
 */
export function lookUp(invitation) {
  return withToken(invitation, async (stream) => {
    const answer = await stream.ask("get", build("query", REGISTER));
    check(answer, "token");
    return {
      username: answer.querySelector("query > username")?.textContent ?? "",
      reset: answer.querySelector("query > registered") !== null,
    };
  });
}

/**
 * Make an account, or give one a new password, as the invitation says.
 *
 * @param {{url: string, domain: string, token: string, username: string, password: string}} account
 * @throws {Refused}
 */
export function register(account) {
  const { username, password } = account;
  const query = build("query", REGISTER, {},
    build("username", REGISTER, {}, username), build("password", REGISTER, {}, password));
  return withToken(account, async (stream) => check(await stream.ask("set", query), "refused"));
}
