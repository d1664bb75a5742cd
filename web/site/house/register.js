// Makes an account with an invitation, over XMPP itself: the token first (XEP-0445), then name and password (XEP-0077).
// ejabberd's mod_invites checks the token; no other door is needed.

const FRAMING = "urn:ietf:params:xml:ns:xmpp-framing";
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
  ask(...payload) {
    const id = crypto.randomUUID();
    const answer = this.next((element) => element.localName === "iq" && element.getAttribute("id") === id);
    this.send(build("iq", "jabber:client", { type: "set", to: this.domain, id }, ...payload));
    return answer;
  }

  close() {
    this.socket.onclose = this.socket.onerror = null;
    this.socket.close();
  }
}

const REASONS = { conflict: "taken", "item-not-found": "token", "not-allowed": "token", forbidden: "token" };

function check(answer) {
  if (answer.getAttribute("type") === "result") return;
  const condition = answer.querySelector("error > *")?.localName;
  throw new Refused(REASONS[condition] ?? "refused");
}

/**
 * Make an account.
 *
 * @param {{url: string, domain: string, token: string, username: string, password: string}} account
 * @throws {Refused}
 */
export async function register({ url, domain, token, username, password }) {
  const stream = new Stream(url, domain);
  try {
    await stream.open();
    check(await stream.ask(build("preauth", "urn:xmpp:pars:0", { token })));
    const query = build("query", "jabber:iq:register", {},
      build("username", "jabber:iq:register", {}, username),
      build("password", "jabber:iq:register", {}, password));
    check(await stream.ask(query));
  } finally {
    stream.close();
  }
}
