// What stands for a hit: the thumbnail of its very moment, a video's preview under the pointer, or its words.
import { thumbnail } from "../core/api.js";
import { el } from "../core/dom.js";
import { ONE, span } from "../core/format.js";
import { boxed } from "./boxes.js";
import { quoted } from "./why.js";

const GLYPHS = { audio: "♪", text: "¶", video: "▶", image: "▣", mesh: "◆" };
const still = matchMedia("(prefers-reduced-motion: reduce)");

export function picture(hit, words = []) {
  const boxes = boxesOf(hit);
  const said = quoted(hit, words, 260, 0);
  const place = el("div", { class: "shot" });
  const seen = ["image", "video"].includes(hit.media);
  if (seen) {
    const image = el("img", { src: thumbnail(hit.asset, momentOf(hit), hit.media === "video" ? hit.start : null), alt: "", loading: "lazy", decoding: "async" });
    image.addEventListener("error", () => image.replaceWith(el("span", { class: "glyph", "aria-hidden": "true" }, GLYPHS[hit.media])), { once: true });
    if (boxes.length) {
      const frame = el("div", { class: "frame" }, image, boxed(boxes.slice(0, 8)));
      image.addEventListener("load", () => fitted(place, frame, image), { once: true });
      place.append(frame);
    } else place.append(image);
    if (hit.media === "video") previewed(place, image, hit);
  } else if (said) place.append(el("div", { class: "quote" }, said));
  else place.append(el("span", { class: "glyph", "aria-hidden": "true" }, GLYPHS[hit.media] ?? "·"));
  const when = hit.page !== null ? `page ${hit.page}` : span(hit.start, hit.end);
  place.append(el("span", { class: "kind" }, ONE[hit.media] ?? hit.media), when ? el("span", { class: "time" }, when) : "");
  return place;
}

/** The moment whose thumbnail shows it: a part's is its whole's; null where it is heard or said, which is shown by what is seen at that second. */
export function momentOf(hit) {
  const shown = [hit.moment, ...hit.evidence.map((one) => one.moment)].map(whole).find((id) => /-(picture|shot|frame)\d+$/.test(id));
  return shown ?? null;
}

/** The boxes of whatever saw the picture that is shown, each once: what another moment of the hit saw lies elsewhere. */
export function boxesOf(hit) {
  const shown = momentOf(hit);
  const found = new Map();
  for (const one of hit.evidence) {
    if (whole(one.moment) === shown) for (const box of one.boxes) found.set(box.map((x) => x.toFixed(2)).join(), box);
  }
  return [...found.values()];
}

const whole = (moment) => moment.split(".")[0];

/** Where boxes are drawn the picture is shown whole, in its own proportions. */
function fitted(place, frame, image) {
  const scale = Math.min(place.clientWidth / image.naturalWidth, place.clientHeight / image.naturalHeight);
  frame.style.width = `${image.naturalWidth * scale}px`;
  frame.style.height = `${image.naturalHeight * scale}px`;
}

function previewed(place, image, hit) {
  const own = image.src;
  let moving = false;
  const begin = () => {
    if (still.matches || moving) return;
    moving = true;
    const preview = new Image();
    preview.addEventListener("load", () => { if (moving) image.src = preview.src; });
    preview.src = `/v1/assets/${hit.asset}/preview`;
  };
  const end = () => { moving = false; image.src = own; };
  place.addEventListener("pointerenter", begin);
  place.addEventListener("pointerleave", end);
  // The link around it gets the focus.
  requestAnimationFrame(() => {
    place.closest("a")?.addEventListener("focus", begin);
    place.closest("a")?.addEventListener("blur", end);
  });
}
