// Why a hit is a hit, in words a person understands.
import { el, marked } from "../core/dom.js";
import { clock, percent } from "../core/format.js";

const SENSES = { picture: "looks alike", sound: "sounds alike", voice: "the same voice", face: "the same face", shape: "the same shape" };
const SAID = ["speech", "passage", "turn"];
const SHOWN = 3;
// What says less is told only where somebody asks for everything.
const FAINT = 0.1;

/** What kind of moment an id names. */
function kindOf(moment) {
  const kind = /-(\w+?)\d+(?:\.(\w+?)\d+)?$/.exec(moment ?? "");
  return kind?.[2] ?? kind?.[1] ?? "";
}

/** How like an example it is. */
const LIKENESS = {
  same: { picture: "the same picture", sound: "the same sound", text: "the same text" },
  "near-duplicate": { picture: "nearly the same picture", sound: "nearly the same sound", text: "nearly the same text" },
  similar: { picture: "looks alike", sound: "sounds alike", text: "says something alike" },
  "same kind": { picture: "of the same kind", sound: "of the same kind", text: "about the same" },
  nearest: { picture: "perhaps alike", sound: "perhaps alike", text: "perhaps alike" },
};

/** What a piece of evidence says: one short clause. */
export function reason(one) {
  const kind = kindOf(one.moment);
  const said = SAID.includes(kind);
  const written = kind === "paragraph";
  if (one.likeness) return LIKENESS[one.likeness][kind === "sound" ? "sound" : said || written ? "text" : "picture"];
  if (!one.query && ["labels", "words"].includes(one.leg)) { // an answer's citation was not searched for by words
    return one.leg === "labels" ? "recognised in it" : one.generated ? "in its description" : said ? "said in it" : "written in it";
  }
  if (one.leg === "labels") return `shows ${one.boxes.length > 1 && !one.query.includes(", ") ? `${one.boxes.length} × ` : ""}${one.query}`;
  if (one.leg === "words") return one.generated ? `described as “${one.query}”` : `“${one.query}” is ${said ? "said" : "written"}`;
  if (one.leg === "text" || (one.leg === "common" && (said || written))) {
    return one.generated ? "its description matches" : said ? "what is said matches" : written ? "the text matches" : "writing in it matches";
  }
  if (one.leg === "common") return kind === "region" ? "part of it looks similar" : kind === "sound" ? "sounds similar" : "looks similar";
  return SENSES[one.leg] ?? one.leg;
}

/** The strongest reasons, each once, with how much they say. */
export function strongest(hit, most = SHOWN) {
  const found = new Map();
  // Of what says how alike it is, only what says most: a hit is not both of a kind and perhaps alike.
  const reasons = hit.evidence.filter((one) => !one.likeness || one.likeness === hit.likeness);
  for (const one of reasons.sort((a, b) => b.relevance - a.relevance)) {
    const told = reason(one);
    if (!found.has(told) && (one.relevance >= FAINT || !found.size)) found.set(told, one.relevance);
  }
  return [...found].slice(0, most);
}

/** They as lines with bars. */
export function short(hit) {
  return el("ul", { class: "reasons", "aria-label": "Why" }, strongest(hit).map(([told, relevance]) =>
    el("li", {}, el("span", { title: told }, told), bar(relevance), el("span", { class: "unseen" }, `, ${percent(relevance)}`))));
}

/** What was said or written that matched, with the query's words marked; null where nothing was. */
export function quoted(hit, words, most, least = FAINT) {
  const texts = hit.evidence.filter((one) => one.text && one.relevance >= least);
  const one = texts.find((some) => some.leg === "words") ?? texts[0];
  return one ? marked(squeezed(one.text, wordsOf(one, words), most), wordsOf(one, words)) : null;
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

function squeezed(text, words, most) {
  const plain = text.replace(/\s+/g, " ").trim();
  if (plain.length <= most) return plain;
  const at = words.map((word) => plain.toLowerCase().indexOf(word.toLowerCase())).filter((n) => n > 0).sort((a, b) => a - b)[0] ?? 0;
  const from = Math.max(0, Math.min(at - 40, plain.length - most));
  return `${from ? "…" : ""}${plain.slice(from, from + most)}…`;
}
