// What keys do everywhere, and the list of them.
import { dialog, el } from "./dom.js";
import { go, read } from "./state.js";

const KEYS = [
  ["/", "go to the search field"], ["?", "ask a question"], ["j k ← → ↑ ↓", "previous and next hit; j and k also with a hit open"], ["Enter", "open the hit"],
  ["Esc", "back to the results"], ["Space", "play, and pause"], ["h", "this list"],
];

export const typing = (event) => event.target.closest?.("input, textarea, select, [contenteditable]") || event.ctrlKey || event.metaKey || event.altKey;

export function help() {
  dialog("Keys", (close) => [
    el("table", {}, el("tbody", {}, KEYS.map(([key, does]) => el("tr", {}, el("td", {}, el("kbd", {}, key)), el("td", {}, does))))),
    el("p", {}), el("button", { class: "main", onclick: close }, "Close"),
  ]);
}

export function listen() {
  document.addEventListener("keydown", (event) => {
    if (typing(event) || document.querySelector("dialog[open]")) return;
    if (event.key === "/") {
      event.preventDefault();
      if (document.querySelector("#query")) document.querySelector("#query").focus();
      else go({});
    } else if (event.key === "?") {
      event.preventDefault();
      go({ ...read(), view: "ask", about: read().asset ?? null, asset: null });
    } else if (event.key === "h") help();
  });
}
