// Who speaks.
import { call } from "../core/api.js";
import { el } from "../core/dom.js";
import { named, seconds } from "./named.js";

export const open = (root) => named(root, {
  title: "Voices", path: "/v1/voices", many: "voices",
  about: "Everybody who speaks in indexed files. A name also applies to files added later.",
  none: "No voices found", hint: "Speakers are recognised some time after a recording or video is added.",
  list: async () => (await call("/v1/voices")).voices,
  shown: (one) => el("audio", { controls: true, preload: "none", src: one.link, "aria-label": one.name }),
  counted: seconds, search: (one) => ({ q: "somebody speaking", label: [`speaker:${one.name}`], all: "1" }),
});
