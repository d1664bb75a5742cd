import { translate } from "./translate.js";

await translate();
document.documentElement.classList.add("ready");
