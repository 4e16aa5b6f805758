// The page begins here.
import { el, fill } from "./core/dom.js";
import { sign } from "./core/icons.js";
import { help, listen } from "./core/keys.js";
import { show } from "./core/router.js";
import { follow, read } from "./core/state.js";
import { themed } from "./core/theme.js";

const root = document.getElementById("main");
fill(document.querySelector(".tools"), themed(), el("button", { class: "plain", "aria-label": "Keys", title: "Keys", onclick: help }, sign("keys", 22)));
listen();
follow((state) => show(root, state));
show(root, read());
