// A hit as a card: what it shows, where it lies, how relevant and why; more and less like it.
import { dialog, el } from "../core/dom.js";
import { name, percent } from "../core/format.js";
import { address, change, read } from "../core/state.js";
import { picture } from "./picture.js";
import { bar, long, short } from "./why.js";

export function card(hit, words, number) {
  const link = address({ ...read(), asset: hit.asset, t: hit.start ?? null, page: hit.page ?? null, moment: hit.moment });
  const title = name(hit.path || hit.title);
  const push = (kind) => () => {
    const state = read();
    const other = kind === "like" ? "unlike" : "like";
    change({ [kind]: [...new Set([...state[kind], hit.asset])], [other]: state[other].filter((one) => one !== hit.asset) });
  };
  return el("div", { class: "hit", role: "listitem", data: { number } },
    el("a", { class: "open", href: link, title: hit.path, "aria-label": `${title}, ${percent(hit.relevance)} relevant` },
      picture(hit, words),
      el("div", { class: "told" },
        el("div", { class: "name" }, title),
        el("div", { class: "meter" }, bar(hit.relevance), percent(hit.relevance), hit.more ? el("span", {}, `+${hit.more} alike`) : null),
        el("div", { class: "reason" }, short(hit, words)))),
    el("div", { class: "acts" },
      el("button", { type: "button", onclick: push("like"), "aria-label": `More like ${title}` }, "+ like this"),
      el("button", { type: "button", onclick: push("unlike"), "aria-label": `Less like ${title}` }, "− less"),
      el("button", {
        type: "button", "aria-label": `Why ${title}`,
        onclick: () => dialog("Why this is a hit", (close) => [el("p", { class: "small soft" }, hit.path), long(hit, words), el("p", {}), el("button", { class: "main", onclick: close }, "Close")]),
      }, "Why?")));
}
