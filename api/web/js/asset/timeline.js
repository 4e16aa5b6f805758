// Shots, speakers, sounds and things along the time of a recording or video; a click plays there.
import { thumbnail } from "../core/api.js";
import { el } from "../core/dom.js";
import { clock } from "../core/format.js";

const MOST = 400;

export function timeline(asset, view) {
  const length = asset.metadata.seconds;
  if (!length || !["audio", "video"].includes(asset.media)) return null;
  const of = (kind) => asset.moments.filter((one) => one.kind === kind && one.start !== null);
  const labels = (kinds) => asset.moments.flatMap((one) => one.labels.filter((label) => kinds.includes(label.kind) && (label.start ?? one.start) !== null)
    .map((label) => ({ start: label.start ?? one.start, end: label.end ?? one.end, text: label.value })));
  const rows = [
    ["Shots", of("shot").map((one, n) => ({ ...one, text: `Shot ${n + 1}`, image: thumbnail(asset.asset, one.moment) })), true],
    ["Speakers", labelled(of("turn"), "speaker")],
    ["Said", of("speech").map((one) => ({ ...one, text: one.transcript ?? "" }))],
    ["Sounds", labelled(of("sound"), "sound")],
    ["Things", labels(["track"])],
    ["People", labels(["person"])],
  ].filter(([, parts]) => parts.length);
  if (!rows.length) return null;
  const needles = [];
  const spots = [];
  const node = el("div", { class: "card lanes", role: "group", "aria-label": "Time line" }, rows.map(([label, parts, tall]) => {
    const needle = el("span", { class: "needle" });
    needles.push(needle);
    return el("div", { class: "lane" }, el("span", {}, label), el("div", { class: tall ? "track tall" : "track" }, parts.slice(0, MOST).map((part) => {
      const spot = el("button", { type: "button", title: `${clock(part.start)} ${part.text}`, "aria-label": `${part.text} at ${clock(part.start)}`, onclick: () => view.play(part.start) },
        part.image ? el("img", { src: part.image, alt: "", loading: "lazy" }) : part.text);
      spot.style.left = `${(100 * part.start) / length}%`;
      spot.style.width = `${Math.max(0.4, (100 * (Math.min(length, part.end) - part.start)) / length)}%`;
      spots.push([part.start, part.end, spot]);
      return spot;
    }), needle));
  }));
  view.heard((second) => {
    for (const needle of needles) needle.style.left = `${Math.min(100, (100 * second) / length)}%`;
    for (const [start, end, spot] of spots) spot.classList.toggle("now", start <= second && second < end);
  });
  return { node };
}

const labelled = (moments, kind) => moments.map((one) => ({ ...one, text: one.labels.filter((label) => label.kind === kind).map((label) => label.value).join(", ") || kind }));
