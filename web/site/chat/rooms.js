// Group chats of this Pi: found among its own, not by a search service on the internet, and named in any script.

const SEARCH = "https://xmlns.zombofant.net/muclumbus/search/1.0";
const ITEMS = "http://jabber.org/protocol/disco#items";
const FORBIDDEN = /["&'/:<>@\s]+/g; // in the local part of an address (RFC 7622, 3.3.1)

/** A group chat's name as the local part of its address; "" where nothing is left of it. */
export function roomAddress(name) {
  return name.trim().normalize("NFKC").replace(FORBIDDEN, "-").replace(/^-+|-+$/g, "").toLowerCase();
}

/** The rooms whose name or address has the words in it, as the search that Converse asks would tell it. */
async function search(send, service, query, { Strophe, $iq }) {
  const answer = await send($iq({ type: "get", to: service }).c("query", { xmlns: ITEMS }));
  const found = document.implementation.createDocument("jabber:client", "iq", null);
  const result = found.documentElement.appendChild(found.createElementNS(SEARCH, "result"));
  result.setAttribute("xmlns", SEARCH); // Converse looks for the attribute
  for (const room of answer.querySelectorAll("item")) {
    const label = `${room.getAttribute("name") ?? ""} ${Strophe.getNodeFromJid(room.getAttribute("jid"))}`;
    if (!label.toLowerCase().includes(query.toLowerCase())) continue;
    const item = found.createElementNS(SEARCH, "item");
    item.setAttribute("address", room.getAttribute("jid"));
    const name = found.createElementNS(SEARCH, "name");
    // "Family (3)": ejabberd adds how many are in it.
    name.textContent = (room.getAttribute("name") ?? "").replace(/ \(\d+\)$/, "");
    item.append(name);
    result.append(item);
  }
  return found.documentElement;
}

/** The plugin that makes it so; its name goes into whitelisted_plugins. */
export function roomsPlugin(converse) {
  const { env } = converse;
  const name = "lanpi-rooms";
  converse.plugins.add(name, {
    dependencies: ["converse-muc", "converse-muc-views"],
    initialize() {
      const { api } = this._converse;
      const send = api.sendIQ.bind(api);
      api.sendIQ = (iq, ...rest) => {
        const tree = iq.tree?.() ?? iq;
        const asked = tree.getElementsByTagNameNS?.(SEARCH, "search")[0]?.querySelector('field[var="q"] value');
        return asked ? search(send, tree.getAttribute("to"), asked.textContent, env) : send(iq, ...rest);
      };
      // Converse's own drops every letter beyond ASCII: nothing would be left of 家.
      api.elements.registry["converse-add-muc-modal"].prototype.normalizeNode = roomAddress;
    },
  });
  return name;
}
