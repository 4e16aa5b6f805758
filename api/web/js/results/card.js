// A hit as a card: what it shows, where it lies, how relevant and why; more and less like it.
import { dialog, el } from "../core/dom.js";
import { name, percent } from "../core/format.js";
import { address, change, read } from "../core/state.js";
import { picture } from "./picture.js";
import { opens, remember } from "./seen.js";
import { long, quoted, short, strongest } from "./why.js";

export function card(hit, words, number) {
  remember(hit);
  const link = address({ ...read(), ...opens(hit) });
  const title = name(hit.path || hit.title);
  const push = (kind) => () => {
    const state = read();
    const other = kind === "like" ? "unlike" : "like";
    change({ [kind]: [...new Set([...state[kind], hit.asset])], [other]: state[other].filter((one) => one !== hit.asset) });
  };
  // A recording or text shows its words in the place of a picture.
  const ranked = hit.evidence.length > 0; // what only meets the filters is not more relevant than another
  const said = ["image", "video"].includes(hit.media) && strongest(hit).length < 3 ? quoted(hit, words, 90) : null;
  return el("div", { class: "hit", role: "listitem", data: { number } },
    el("a", { class: "open", href: link, title: hit.path, "aria-label": ranked ? `${title}, ${percent(hit.relevance)} relevant` : title },
      picture(hit, words),
      el("div", { class: "name" }, el("span", {}, title), hit.more ? el("small", {}, `+${hit.more} alike`) : null, ranked ? el("b", { class: hit.relevance < 0.5 ? "soft" : null }, percent(hit.relevance)) : null)),
    short(hit),
    said ? el("p", { class: "reason" }, "“", said, "”") : null,
    el("div", { class: "acts" },
      el("button", { type: "button", onclick: push("like"), "aria-label": `More like ${title}` }, "+ like this"),
      el("button", { type: "button", onclick: push("unlike"), "aria-label": `Less like ${title}` }, "− less"),
      ranked ? el("button", {
        type: "button", "aria-label": `Why ${title}`,
        onclick: () => dialog("Why this is a hit", (close) => [el("p", { class: "small soft" }, hit.path), long(hit, words), el("p", {}), el("button", { class: "main", onclick: close }, "Close")]),
      }, "Why?") : null));
}
