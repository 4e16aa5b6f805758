// What is known of an asset: chapters and summary, labels that show where, trust, where it lies.
import { call } from "../core/api.js";
import { el, fill } from "../core/dom.js";
import { clock, percent } from "../core/format.js";
import { titleOf, vocabulary } from "../core/labels.js";
import { address } from "../core/state.js";

export function facts(asset, view) {
  const summary = el("div", {});
  const trust = el("div", {});
  call(`/v1/assets/${asset.asset}/summary`).then((told) => fill(summary, summed(told, view))).catch(() => {});
  call(`/v1/assets/${asset.asset}/trust`).then((told) => fill(trust, trusted(told))).catch(() => {});
  const recognised = el("div", {});
  vocabulary().then((kinds) => fill(recognised, labels(asset, view, kinds)));
  return el("div", {}, summary, recognised, trust, place(asset));
}

function summed({ sentences, descriptions, chapters }, view) {
  if (!sentences.length && !descriptions.length && !chapters.length) return null;
  return el("section", { class: "card panel" }, el("h2", {}, "In short"),
    // The chapters of a short film are its sentences once more.
    (chapters.length > sentences.length ? [] : sentences).map((one) => el("p", {}, one.start !== null ? el("button", { class: "plain small", onclick: () => view.play(one.start) }, clock(one.start)) : null, one.text)),
    chapters.length > 1 ? el("ol", {}, chapters.map((one) => el("li", {}, el("button", { class: "plain", onclick: () => view.play(one.start) }, clock(one.start), " ", one.title)))) : null,
    !sentences.length ? descriptions.slice(0, 3).map((one) => el("p", {}, one.text, el("span", { class: "soft small" }, " (made from labels)"))) : null);
}

/** `kinds`: the vocabulary; without it every kind is listed. */
function labels(asset, view, kinds) {
  const all = asset.moments.flatMap((one) => one.labels.map((label) => ({ ...label, start: label.start ?? one.start })));
  const listed = kinds.length ? kinds.filter((one) => one.recognised).map((one) => one.kind) : [...new Set(all.map((label) => label.kind))];
  const shown = listed.map((kind) => [kind, best(all.filter((label) => label.kind === kind))]).filter(([, some]) => some.length);
  if (!shown.length) return null;
  let on = null;
  const press = (button, draw) => () => {
    on?.setAttribute("aria-pressed", "false");
    if (on === button.node) { on = null; view.boxes([]); return; }
    on = button.node;
    on.setAttribute("aria-pressed", "true");
    draw();
  };
  return el("section", { class: "card panel" }, el("h2", {}, "What was recognised"), shown.map(([kind, some]) => el("div", {},
    el("h3", { class: "small soft" }, titleOf(kind)),
    el("div", { class: "tags" }, some.slice(0, 40).map((label) => {
      const boxes = ["image", "video"].includes(asset.media) ? distinct(all.filter((one) => one.kind === kind && one.value === label.value && one.box)) : [];
      const drawn = boxes.length ? () => view.boxes(boxes)
        : kind === "area" && asset.media === "image" ? () => view.mask(label.value) : null;
      const text = `${label.value} ${kind === "area" || label.score < 1 ? percent(label.score) : ""}`.trim();
      if (!drawn) return el("a", { class: "tag", href: address({ label: [`${kind}:${label.value}`], q: label.value }) }, text);
      const holder = {};
      holder.node = el("button", { class: "tag", type: "button", "aria-pressed": "false", onclick: press(holder, drawn) }, text);
      return holder.node;
    }))), el("p", {})));
}

/** A shot repeats what its key frame shows. */
function distinct(labels) {
  return [...new Map(labels.map((label) => [`${label.start} ${label.box.map((x) => x.toFixed(3))}`, label])).values()];
}

function best(labels) {
  const held = new Map();
  for (const label of labels) if (!held.has(label.value) || held.get(label.value).score < label.score) held.set(label.value, label);
  return [...held.values()].sort((one, other) => other.score - one.score);
}

function trusted(told) {
  return el("section", { class: "card panel" }, el("h2", {}, "Provenance"),
    told.facts.length ? el("ul", {}, told.facts.map((fact) => el("li", {}, `${fact.kind}: ${fact.value} `, el("span", { class: "soft small" }, fact.by))))
      : el("p", { class: "soft" }, "The file says nothing about its origin. Most files do not."),
    told.indications.map((one) => el("p", { class: "small" }, `${one.value}: ${one.score.toFixed(2)}${one.high ? " (high)" : ""}`)),
    told.indications.length ? el("p", { class: "note small" }, told.statement) : null);
}

function place(asset) {
  const { date_from: source, ...others } = asset.metadata;
  const from = asset.captured && source ? `${asset.captured} (by its ${source === "name" ? "name" : "file’s time"})` : asset.captured;
  const rows = [["Where", asset.sources.map((one) => one.path).join("\n")], ["Type", asset.mime], ["From", from],
    ...Object.entries(others).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value)), ["Id", asset.asset]];
  return el("section", { class: "card panel" }, el("h2", {}, "The file"),
    el("dl", { class: "facts" }, rows.filter(([, value]) => value !== null && value !== "").map(([key, value]) => [el("dt", {}, key), el("dd", {}, String(value))])));
}
