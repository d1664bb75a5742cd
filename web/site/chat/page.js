// The script of /chat/ itself; /join/ starts the chat from its own.
import { prepare, startChat } from "./chat.js";

await startChat();
prepare();
