// After a reload Converse 14 logs in under a new resource and then resumes the stream of the old one (XEP-0198): it
// speaks for an address that the server has not given it, and is thrown out ("invalid-from"). So the address is kept
// over a reload. Only over one: a tab that is copied from this one has to get an address of its own.

const KEPT = "lanpi-address";
const LAST = "conversejs-session-jid"; // where Converse looks for whose saved keys to log in with

/** The plugin that keeps it; its name goes into whitelisted_plugins. */
export function sessionPlugin(converse) {
  const { Strophe } = converse.env;
  const name = "lanpi-session";
  converse.plugins.add(name, {
    initialize() {
      const { _converse } = this;
      const kept = sessionStorage.getItem(KEPT);
      sessionStorage.removeItem(KEPT);
      const last = localStorage.getItem(LAST);
      if (kept && last && Strophe.getBareJidFromJid(last) === Strophe.getBareJidFromJid(kept)) localStorage.setItem(LAST, kept);
      addEventListener("pagehide", () => {
        const address = _converse.session?.get("jid");
        if (address && _converse.api.connection.connected()) sessionStorage.setItem(KEPT, address);
      });
    },
  });
  return name;
}
