// Dark or light: as the system has it, until somebody chooses.
import { el } from "./dom.js";

const KEY = "crossmedia-theme";
const dark = () => (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

export function themed() {
  try {
    const kept = localStorage.getItem(KEY);
    if (kept) document.documentElement.dataset.theme = kept;
  } catch { /* where nothing may be kept, the system's choice stays */ }
  const button = el("button", { class: "plain", "aria-label": "Dark or light", title: "Dark or light" });
  const tell = () => { button.textContent = dark() ? "☀" : "☾"; };
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem(KEY, document.documentElement.dataset.theme); } catch { /* as above */ }
    tell();
  });
  tell();
  return button;
}
