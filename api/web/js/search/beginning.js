// Before anything is asked: what can be asked here, and some of what there is.
import { call } from "../core/api.js";
import { el } from "../core/dom.js";
import { name } from "../core/format.js";
import { vocabulary } from "../core/labels.js";
import { address } from "../core/state.js";
import { picture } from "../results/picture.js";

const OF_EACH = { object: 8, area: 3, person: 3 };
const OF_OTHERS = 2;

/** For a collection that has these assets, and others. */
export async function beginning(assets, media = null) {
  const kinds = (await vocabulary()).filter((one) => one.said).map((one) => one.kind);
  const { labels } = kinds.length ? await call(`/v1/labels?limit=8&${kinds.map((kind) => `kind=${encodeURIComponent(kind)}`).join("&")}`) : { labels: [] };
  const some = kinds.flatMap((kind) => (labels.find((one) => one.kind === kind)?.top ?? []).slice(0, OF_EACH[kind] ?? OF_OTHERS).map((one) => [kind, one]));
  return el("div", {},
    el("div", { class: "empty" }, el("h2", {}, "What are you looking for?"),
      el("p", { class: "soft" }, "Type words, drop a picture, a sound or a clip anywhere on this page, paste one, or speak."),
      some.length ? el("ul", { class: "tags middle", "aria-label": "Recognised here" }, some.map(([kind, one]) =>
        el("li", {}, el("a", { class: "tag", href: address({ q: one.value, label: [`${kind}:${one.value}`] }) }, one.value, " ", el("span", { class: "soft" }, one.assets.toLocaleString("en")))))) : null,
      el("p", {}, el("a", { href: address({ sort: "date", media }) }, "Show everything, the newest first"))),
    el("ul", { class: "there", "aria-label": "Examples from the collection" }, assets.map((asset) => {
      const path = asset.sources[0]?.path ?? asset.title;
      return el("li", { class: "card" }, el("a", { href: address({ asset: asset.asset }), title: path }, picture({ ...asset, path, moment: "", start: null, end: null, page: null, evidence: [] }),
        el("span", {}, asset.media === "text" ? asset.title : name(path))));
    })));
}
