// What else is in what was found, as filters; dates, paths.
import { el, fill } from "../core/dom.js";
import { titleOf } from "../core/labels.js";
import { change, read } from "../core/state.js";

const SHOWN = 8;

export function facets() {
  const counted = el("div", {});
  const input = (name, label, type, placeholder = "") => {
    const field = el("input", { type, placeholder, id: `filter-${name}` });
    field.addEventListener("change", () => change({ [name]: field.value }));
    return { name, field, node: el("label", { class: "field", for: `filter-${name}` }, label, field) };
  };
  const inputs = [input("after", "From", "date"), input("before", "Until", "date"), input("path", "Folder or path", "text", "photos/ or *.jpg"),
    input("without", "Without", "text", "words to avoid")];
  inputs[3].field.addEventListener("change", (event) => {
    event.stopImmediatePropagation();
    const word = inputs[3].field.value.trim();
    inputs[3].field.value = "";
    if (word) change({ not: [...read().not, word], without: null });
  }, { capture: true });
  const node = el("aside", { class: "aside", id: "filters", "aria-label": "Filters" }, counted,
    el("fieldset", {}, el("legend", {}, "When and where"), inputs.map((one) => one.node)));
  return {
    node,
    draw(state, found) {
      for (const one of inputs) if (one.name !== "without") one.field.value = state[one.name] ?? "";
      fill(counted, Object.entries(found ?? {}).filter(([, values]) => values.length).map(([kind, values]) =>
        el("fieldset", {}, el("legend", {}, titleOf(kind)), values.slice(0, SHOWN).map(({ value, moments }) => {
          const label = `${kind}:${value}`;
          const on = state.label.includes(label);
          return el("div", { class: "facet-row" }, el("button", {
            type: "button", class: "facet", "aria-pressed": String(on),
            onclick: () => change({ label: on ? state.label.filter((x) => x !== label) : [...state.label, label] }),
          }, el("span", {}, value), el("span", {}, moments.toLocaleString("en"))),
          on ? null : el("button", {
            type: "button", class: "plain", title: `Without ${value}`, "aria-label": `Without ${value}`,
            onclick: () => change({ nolabel: [...new Set([...state.nolabel, label])] }),
          }, "−"));
        }))));
    },
  };
}
