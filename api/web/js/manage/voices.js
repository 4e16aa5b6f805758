// Who speaks.
import { call } from "../core/api.js";
import { el } from "../core/dom.js";
import { named, seconds } from "./named.js";

export const open = (root) => named(root, {
  title: "Voices", path: "/v1/voices", many: "voices",
  about: "Everybody who speaks in what is indexed. A name counts for everything, also for what comes later.",
  none: "Nobody is heard to speak", hint: "Recordings and videos are listened to after they are added.",
  list: async () => (await call("/v1/voices")).voices,
  shown: (one) => el("audio", { controls: true, preload: "none", src: one.link, "aria-label": one.name }),
  counted: seconds, search: (one) => ({ q: "somebody speaking", label: [`speaker:${one.name}`], all: "1" }),
});
