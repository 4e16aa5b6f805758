// Why a hit is a hit, in words a person understands.
import { el, marked } from "../core/dom.js";
import { clock, percent } from "../core/format.js";

const SENSES = {
  common: { picture: "looks like what you asked", text: "is about it", sound: "sounds like what you asked" },
  picture: "looks alike", sound: "sounds alike", text: "says something near", voice: "the same voice", face: "the same face", shape: "the same shape",
};

/** What a piece of evidence says: one short clause. */
export function reason(one) {
  if (one.leg === "labels") return `shows ${one.query}`;
  if (one.leg === "words") return one.generated ? "its description says" : one.page !== null ? "is written" : one.start !== null ? "is said" : "is written";
  if (one.leg === "common") {
    const kind = /-(\w+?)\d+(?:\.(\w+?)\d+)?$/.exec(one.moment);
    const made = kind?.[2] ?? kind?.[1];
    if (made === "region") return "a part of it looks like what you asked";
    return SENSES.common[made === "sound" ? "sound" : ["speech", "passage", "paragraph"].includes(made) ? "text" : "picture"];
  }
  return SENSES[one.leg] ?? one.leg;
}

/** The first reason and what was said or written, with the query's words marked. */
export function short(hit, words) {
  const [first] = hit.evidence;
  if (!first) return "";
  return [reason(first), first.text ? [": “", marked(squeezed(first.text, words), wordsOf(first, words)), "”"] : null];
}

/** Everything, for who opens it. */
export function long(hit, words) {
  return el("ul", { class: "why" }, hit.evidence.map((one) => el("li", {},
    el("div", { class: "meter" }, el("span", {}, reason(one)), bar(one.relevance), el("span", {}, percent(one.relevance))),
    one.text ? el("q", {}, marked(squeezed(one.text, words, 400), wordsOf(one, words))) : null,
    el("span", { class: "small soft" }, [`${one.leg}, rank ${one.rank}`, one.start !== null ? `, at ${clock(one.start)}` : "", one.page !== null ? `, page ${one.page}` : ""]))));
}

export function bar(share) {
  const inner = el("b", {});
  inner.style.width = `${Math.round(100 * share)}%`;
  return el("i", { "aria-hidden": "true" }, inner);
}

const wordsOf = (one, words) => (one.leg === "words" && one.query ? one.query.split(", ") : words);

function squeezed(text, words, most = 180) {
  const plain = text.replace(/\s+/g, " ").trim();
  if (plain.length <= most) return plain;
  const at = words.map((word) => plain.toLowerCase().indexOf(word.toLowerCase())).filter((n) => n > 0).sort((a, b) => a - b)[0] ?? 0;
  const from = Math.max(0, Math.min(at - 40, plain.length - most));
  return `${from ? "…" : ""}${plain.slice(from, from + most)}…`;
}
