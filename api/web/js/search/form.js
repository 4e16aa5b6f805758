// The query bar: words, files by choosing, dropping and pasting, the microphone; and the chips of everything that is asked for.
import { announce, el, fill } from "../core/dom.js";
import { name } from "../core/format.js";
import { thumbnail } from "../core/api.js";
import { change, read } from "../core/state.js";
import { nameOf } from "../results/seen.js";
import { drop, files, hold, turn } from "./held.js";
import { microphone } from "./recorder.js";

const WAIT = 250;

/** `again()` searches anew where the address stays as it is. */
export function queryForm(again) {
  const field = el("input", {
    type: "search", id: "query", placeholder: "A dog on the beach, what was said about the harbour, …", autocomplete: "off",
    "aria-label": "What to look for", enterkeyhint: "search",
  });
  const told = el("p", { class: "small", role: "alert" });
  const take = (list) => {
    for (const file of list) hold(file);
    if (list.length) { told.textContent = ""; again(); draw(); }
  };
  const chooser = el("input", { type: "file", multiple: true, class: "unseen", tabindex: -1, "aria-label": "Files to search with", accept: "image/*,audio/*,video/*,.pdf,.txt,.md" });
  chooser.addEventListener("change", () => { take([...chooser.files]); chooser.value = ""; });
  const chips = el("div", { class: "chips", "aria-label": "Query" });
  let waiting = null;
  // Who looks for something after a list wants the best of it first.
  const typed = () => ({ q: field.value.trim(), all: null, ...(read().q ? {} : { sort: null }) });
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => change(typed(), { quiet: true }), WAIT);
  });
  const form = el("form", {
    class: "query", role: "search",
    onsubmit: (event) => { event.preventDefault(); clearTimeout(waiting); change(typed()); },
  }, el("div", { class: "bar" }, field,
    el("button", { type: "button", title: "Search with a picture, sound, clip or text", onclick: () => chooser.click() }, "+ File"),
    microphone(el, "Search by a sound", (file) => take([file]), (reason) => { told.textContent = reason; }),
    el("button", { class: "main" }, "Search")), chooser, chips, told);

  const onDrag = (event) => {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
    event.preventDefault();
    document.body.classList.toggle("dropping", event.type === "dragover");
    if (event.type === "drop") take([...event.dataTransfer.files]);
  };
  const onPaste = (event) => {
    const pasted = [...(event.clipboardData?.files ?? [])];
    if (pasted.length) { event.preventDefault(); take(pasted); }
  };
  for (const type of ["dragover", "dragleave", "drop"]) document.addEventListener(type, onDrag);
  document.addEventListener("paste", onPaste);

  function draw(state = read()) {
    if (document.activeElement !== field) field.value = state.q ?? "";
    fill(chips,
      files().map((one) => chip(el, one.file.name, () => { drop(one.id); draw(); again(); }, { ...one, minus: one.weight < 0, turned: () => { turn(one.id); draw(); again(); } })),
      listed(state, "like", "like "), listed(state, "unlike", "not like "), listed(state, "not", "without "),
      listed(state, "label", ""), listed(state, "nolabel", "no "));
  }

  function listed(state, key, before) {
    const asset = key === "like" || key === "unlike";
    const minus = ["unlike", "not", "nolabel"].includes(key);
    const other = { like: "unlike", unlike: "like" }[key];
    return state[key].map((value) => {
      const rest = () => read()[key].filter((one) => one !== value);
      const told = asset ? nameOf(value) : key.endsWith("label") ? value.split(":").slice(1).join(":") || value : value;
      return chip(el, before + told, () => change({ [key]: rest() }), {
        asset: asset ? value : null, minus, turned: other ? () => change({ [key]: rest(), [other]: [...read()[other], value] }) : null,
      });
    });
  }

  return {
    node: form, draw, field,
    close() {
      clearTimeout(waiting);
      document.body.classList.remove("dropping");
      for (const type of ["dragover", "dragleave", "drop"]) document.removeEventListener(type, onDrag);
      document.removeEventListener("paste", onPaste);
    },
  };
}

function chip(make, label, remove, { file, url, asset, minus, turned } = {}) {
  const picture = file?.type.startsWith("image/") ? make("img", { src: url, alt: "" }) : asset ? make("img", { src: thumbnail(asset), alt: "" }) : null;
  picture?.addEventListener("error", () => picture.remove());
  const shown = name(label);
  return make("span", { class: minus ? "chip minus" : "chip" }, picture, make("span", {}, file && minus ? `not like ${shown}` : shown),
    turned ? make("button", { type: "button", title: minus ? "Search for this" : "Avoid this", "aria-label": `${minus ? "More" : "Less"} like ${shown}`, onclick: turned }, minus ? "+" : "−") : null,
    make("button", { type: "button", "aria-label": `Remove ${shown}`, onclick: () => { remove(); announce(`${shown} removed`); } }, "✕"));
}
