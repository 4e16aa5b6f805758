// What is said, following the playback; a click on a word plays it.
import { el } from "../core/dom.js";
import { clock } from "../core/format.js";

export function spoken(asset, view) {
  const sentences = asset.moments.filter((one) => one.kind === "speech").sort((one, other) => one.start - other.start);
  if (!sentences.length) return null;
  let who = null;
  const rows = sentences.map((one) => {
    const speaker = one.labels.find((label) => label.kind === "speaker")?.value ?? null;
    const named = speaker && speaker !== who ? el("div", { class: "speaker small" }, speaker) : null;
    who = speaker;
    const words = one.words.length ? one.words : [[one.transcript, one.start, one.end]];
    return el("li", {}, el("button", { class: "at", type: "button", onclick: () => view.play(one.start) }, clock(one.start)),
      el("div", {}, named, words.map(([text, start]) => [
        el("span", { class: "word", title: clock(start), onclick: () => view.play(start) }, text.trim()), " "])));
  });
  const list = el("ol", { class: "said", tabindex: 0, "aria-label": "Transcript" }, rows);
  let now = null;
  view.heard((second) => {
    const found = sentences.findLastIndex((one) => one.start <= second + 0.05);
    const row = found >= 0 && second < sentences[found].end + 1 ? rows[found] : null;
    if (row === now) return;
    now?.classList.remove("now");
    row?.classList.add("now");
    now = row;
    if (row) list.scrollTop = row.offsetTop - list.offsetTop - 40;
  });
  return { node: el("section", { class: "card panel" }, el("h2", {}, "What is said"), list) };
}
