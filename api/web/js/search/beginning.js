// Before anything is asked: what can be asked here, and some of what there is.
import { call } from "../core/api.js";
import { el } from "../core/dom.js";
import { name } from "../core/format.js";
import { address } from "../core/state.js";
import { picture } from "../results/picture.js";

const KINDS = ["object", "area", "person", "speaker"];
const OF_EACH = { object: 8, area: 3, person: 3, speaker: 2 };

/** For a collection that has these assets, and others. */
export async function beginning(assets) {
  const { labels } = await call(`/v1/labels?limit=8&${KINDS.map((kind) => `kind=${kind}`).join("&")}`);
  const some = KINDS.flatMap((kind) => (labels.find((one) => one.kind === kind)?.top ?? []).slice(0, OF_EACH[kind]).map((one) => [kind, one]));
  return el("div", {},
    el("div", { class: "empty" }, el("h2", {}, "What are you looking for?"),
      el("p", { class: "soft" }, "Type words, drop a picture, a sound or a clip anywhere on this page, paste one, or speak."),
      some.length ? el("ul", { class: "tags middle", "aria-label": "Recognised here" }, some.map(([kind, one]) =>
        el("li", {}, el("a", { class: "tag", href: address({ q: one.value, label: [`${kind}:${one.value}`] }) }, one.value, " ", el("span", { class: "soft" }, one.assets.toLocaleString("en")))))) : null),
    el("ul", { class: "there", "aria-label": "Some of what is here" }, assets.map((asset) => {
      const path = asset.sources[0]?.path ?? asset.title;
      return el("li", { class: "card" }, el("a", { href: address({ asset: asset.asset }), title: path }, picture({ ...asset, path, moment: "", start: null, end: null, page: null, evidence: [] }),
        el("span", {}, asset.media === "text" ? asset.title : name(path))));
    })));
}
