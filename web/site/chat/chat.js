// Starts Converse for this Pi. What differs between Pis stands in the page's <html> element (data-…).
import { watchAccessibility } from "./accessible.js";
import { defineElements } from "./elements.js";
import { languageOf } from "./language.js";
import { roomsPlugin } from "./rooms.js";
import { sessionPlugin } from "./session.js";

const ownPlugins = [];
const TRADITIONAL = /^zh-(hant|tw|hk|mo)/i;

/** Converse's name for the reader's language; it knows no plain "zh". */
function converseLocale() {
  if (languageOf(navigator.languages, ["en", "zh"]) !== "zh") return "en";
  const chinese = navigator.languages.find((name) => /^zh/i.test(name));
  return TRADITIONAL.test(chinese) ? "zh_TW" : "zh_CN";
}

/**
 * Start the chat in this document.
 *
 * @param {{jid: string, password: string}} [credentials] of an account just made; else Converse takes up its
 *   own session, or asks.
 */
export async function startChat(credentials) {
  const { domain, chat, mucDomain } = document.documentElement.dataset;
  defineElements();
  watchAccessibility();
  document.documentElement.lang = converseLocale().replace("_", "-");
  const login = credentials ? { ...credentials, auto_login: true } : {};
  await window.converse.initialize({
    ...login,
    assets_path: chat,
    authentication: "login",
    websocket_url: `wss://${location.host}/ws`,
    discover_connection_methods: false,
    view_mode: "fullscreen",
    theme: "classic",
    dark_theme: "dracula",
    show_background: true,
    i18n: converseLocale(),
    locales: ["en", "zh_CN", "zh_TW"],

    locked_domain: domain,
    default_domain: domain,
    allow_registration: false,
    // With a hint of what staying logged in means; OMEMO is there only on a trusted device.
    allow_user_trust_override: true,
    reuse_scram_keys: true,

    muc_domain: mucDomain,
    muc_respect_autojoin: true,
    muc_nickname_from_jid: true,
    auto_register_muc_nickname: "unregister",
    muc_show_logs_before_join: true,
    auto_list_rooms: true,
    message_archiving: "always",
    archived_messages_page_size: "50",

    whitelisted_plugins: [roomsPlugin(window.converse), sessionPlugin(window.converse), ...ownPlugins],
    muc_search_service: mucDomain,

    // Nothing from anywhere but this Pi.
    autocomplete_providers_url: "",
    xmpp_providers_url: "",
    providers_link: "",
    embed_3rd_party_media_players: false,
    allowed_audio_domains: [domain, location.hostname],
    allowed_image_domains: [domain, location.hostname],
    allowed_video_domains: [domain, location.hostname],
    fetch_url_headers: false,
    use_system_emojis: true,
    // A place is sent as a link to a map on the internet.
    visible_toolbar_buttons: { call: false, clear: false, emoji: true, location: false, spoiler: false },

    notification_icon: `${chat}/icon.svg`,
    show_client_info: false,
    show_self_in_roster: false,
    loglevel: "error",
  });
}

function registerServiceWorker() {
  // A browser that was told to go on without trusting the certificate takes no service worker; the chat works without.
  navigator.serviceWorker?.register("/chat/sw.js", { scope: "/chat/" }).catch((error) => console.info(error.message));
}

/** Tell others the name of somebody new, as soon as they are logged in (XEP-0054). */
export function nameAfterLogin(jid, name) {
  const plugin = "lanpi-name";
  window.converse.plugins.add(plugin, {
    initialize() {
      const { api } = this._converse;
      api.listen.once("connected", () => api.vcard.set(jid, { fn: name, nickname: name }));
    },
  });
  ownPlugins.push(plugin);
}

/** What can wait until people can type. */
export function prepare() {
  document.getElementById("waiting")?.remove();
  const idle = window.requestIdleCallback ?? ((act) => setTimeout(act, 2000)); // Safari has none
  idle(registerServiceWorker);
}
