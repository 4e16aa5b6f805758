// Is a file known, and where does it say that it comes from? Nothing is stored.
import { call } from "../core/api.js";
import { el, fill } from "../core/dom.js";
import { problem } from "../core/problem.js";

export function open(root) {
  const place = el("div", { "aria-live": "polite" });
  const chooser = el("input", { type: "file", id: "looked-up" });
  const drop = el("div", { class: "drop" }, el("label", { class: "field", for: "looked-up" }, "A file to look up; it is not stored", chooser));
  const over = (on) => (event) => { event.preventDefault(); drop.classList.toggle("over", on); };
  drop.addEventListener("dragover", over(true));
  drop.addEventListener("dragleave", over(false));
  drop.addEventListener("drop", (event) => { over(false)(event); look(event.dataTransfer.files[0]); });
  chooser.addEventListener("change", () => look(chooser.files[0]));
  fill(root, el("div", { class: "narrow" }, el("h1", {}, "Look up"), drop, el("p", {}), place));

  async function look(file) {
    if (!file) return;
    fill(place, el("p", { class: "soft" }, `Looking at ${file.name} …`));
    const sent = () => { const form = new FormData(); form.append("file", file, file.name); return { method: "POST", body: form }; };
    try {
      const [known, trust] = await Promise.all([call("/v1/lookup", sent()), call("/v1/trust", sent())]);
      fill(place, known.matches.length ? matches(known.matches) : el("p", { class: "card panel" }, "It is in no bank."), [...known.notes, ...trust.notes].map((note) => el("p", { class: "note small" }, note)),
        el("section", { class: "card panel" }, el("h2", {}, "Provenance"), trust.facts.length ? el("ul", {}, trust.facts.map((fact) => el("li", {}, `${fact.kind}: ${fact.value} (${fact.by})`))) : el("p", {}, "The file says nothing about its origin. Most files do not."),
          trust.indications.map((one) => el("p", { class: "small" }, `${one.value}: ${one.score.toFixed(2)}${one.high ? " (high)" : ""}`)), trust.indications.length ? el("p", { class: "note small" }, trust.statement) : null));
    } catch (error) { fill(place, problem(error, () => look(file))); }
  }
}

function matches(some) {
  return el("div", { class: "card wide" }, el("table", {}, el("thead", {}, el("tr", {}, ["Bank", "Action", "By", "Distance"].map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", {}, some.map((one) => el("tr", {}, el("td", {}, one.bank), el("td", {}, one.action), el("td", {}, one.kind), el("td", {}, String(one.distance)))))));
}
