// Whose faces were found.
import { call, thumbnail } from "../core/api.js";
import { el } from "../core/dom.js";
import { named } from "./named.js";
import { count } from "../core/format.js";

export const open = (root) => named(root, {
  title: "People", path: "/v1/people", many: "people", forget: true,
  about: "Everybody whose face was found. Faces are recognised only if CROSSMEDIA_FACES=1 is set.",
  none: "No faces found", hint: 'Start with CROSSMEDIA_FACES=1 and pip install "crossmedia[faces]", then crossmedia enrich.',
  list: async () => (await call("/v1/people")).people,
  shown: (one) => el("img", { src: thumbnail(one.asset, one.moment), alt: "" }),
  counted: (one) => `${count(one.faces, "face")}, ${count(one.assets, "file")}`,
  search: (one) => ({ q: "a person", label: [`person:${one.name}`], all: "1" }),
});
