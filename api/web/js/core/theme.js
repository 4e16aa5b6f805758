// Dark or light: as the system has it, until somebody chooses; `early.js` applies that before anything is painted.
import { el } from "./dom.js";
import { sign } from "./icons.js";

const KEY = "crossmedia-theme";
const dark = () => (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

export function themed() {
  const button = el("button", { class: "plain", "aria-label": "Dark or light", title: "Dark or light" });
  const tell = () => { button.replaceChildren(sign(dark() ? "sun" : "moon", 22)); };
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem(KEY, document.documentElement.dataset.theme); } catch { /* it holds until the page is left */ }
    tell();
  });
  tell();
  return button;
}
