// What an asset shows: a picture with boxes and masks, a player that begins at the second, pages.
import { thumbnail } from "../core/api.js";
import { el, fill } from "../core/dom.js";
import { boxed, there } from "../results/boxes.js";
import { boxesOf } from "../results/picture.js";
import { hitOf } from "../results/seen.js";

export function stage(asset, state) {
  const content = `/v1/assets/${asset.asset}/content`;
  const listeners = new Set();
  const start = Number(state.t) || 0;
  const over = el("div", {});
  over.style.display = "contents";
  let drawn = []; // labels whose boxes are drawn, at the seconds where they lie
  let hot = null; // what glows where words are, and the second that it is of
  const draw = (second) => fill(over, hot && there(hot, second) ? hot.nodes : null, drawn.filter((label) => there(label, second)).flatMap((label) => boxed([label.box], label.value)));
  let player = null;
  let node;
  if (asset.media === "video" || asset.media === "audio") {
    player = el(asset.media, { src: content, controls: true, preload: "metadata", poster: asset.media === "video" ? thumbnail(asset.asset, still(asset, start)) : null, "aria-label": asset.title });
    if (asset.moments.some((one) => one.kind === "speech")) {
      player.append(el("track", { kind: "subtitles", srclang: "en", label: "What is said", src: `/v1/assets/${asset.asset}/transcript?format=vtt` }));
    }
    player.addEventListener("loadedmetadata", () => { if (start) player.currentTime = start; }, { once: true });
    player.addEventListener("timeupdate", () => listeners.forEach((listener) => listener(player.currentTime)));
    node = el("div", { class: "stage" }, asset.media === "video" ? el("div", { class: "frame" }, player, over) : player);
  } else if (asset.media === "image") {
    const image = el("img", { src: content, alt: described(asset) });
    image.addEventListener("error", () => { image.src = thumbnail(asset.asset); }, { once: true });
    node = el("div", { class: "stage" }, el("div", { class: "frame" }, image, over));
  } else node = pages(asset, state);

  const found = hitOf(state.moment);
  if (found) drawn = boxesOf(found).map((box) => ({ box, value: "", start: found.start, end: found.end }));
  if (drawn.length) draw(start);
  if (player) listeners.add(draw);

  const view = {
    node,
    seek(seconds) {
      if (player) { player.currentTime = seconds; listeners.forEach((listener) => listener(seconds)); }
    },
    play(seconds) { view.seek(seconds); player?.play().catch(() => {}); },
    toggle() { if (player) player.paused ? player.play().catch(() => {}) : player.pause(); },
    heard(listener) { listeners.add(listener); listener(start); },
    /** Labels with boxes; a film goes to the first of them and shows each in its time. */
    boxes(labels) {
      drawn = labels;
      hot = null;
      const first = Math.min(...labels.map((label) => label.start ?? Infinity));
      if (player && Number.isFinite(first) && !labels.some((label) => there(label, player.currentTime))) view.seek(first);
      else draw(player?.currentTime ?? 0);
      if (labels.length) node.scrollIntoView({ block: "nearest" });
    },
    mask(name) { drawn = []; hot = null; node.scrollIntoView({ block: "nearest" }); fill(over, name ? el("img", { class: "mask", alt: "", src: `/v1/assets/${asset.asset}/masks/${encodeURIComponent(name)}` }) : null); },
    /** The moment whose picture is in sight: the one that was opened, or the key frame of a film's present second. */
    moment() {
      if (!player) return null;
      const opened = asset.moments.find((one) => one.moment === state.moment && ["shot", "frame"].includes(one.kind));
      const moved = Math.abs(player.currentTime - start) > 0.5;
      return opened && !moved ? opened.moment : still(asset, player.currentTime);
    },
    /** Nodes over a moment's picture; none takes them away. A film stops, and shows the key frame that they are of until it goes on. */
    glow(moment, nodes = []) {
      drawn = [];
      player?.pause();
      const second = player?.currentTime ?? null;
      const frame = player && moment ? el("img", { class: "key", alt: "", src: thumbnail(asset.asset, moment) }) : null;
      hot = moment ? { nodes: [frame, nodes], start: second, end: second } : null;
      draw(second ?? 0);
      if (hot) node.scrollIntoView({ block: "nearest" });
    },
    close() { player?.pause(); listeners.clear(); },
  };
  return view;
}

/** The moment that shows a second. */
export function still(asset, second) {
  const shots = asset.moments.filter((one) => one.kind === "shot");
  return (shots.find((one) => one.start <= second && second < one.end) ?? shots[0])?.moment ?? null;
}

const described = (asset) => asset.moments.find((one) => one.description)?.description ?? `The picture ${asset.title}`;

function pages(asset, state) {
  const paragraphs = asset.moments.filter((one) => one.kind === "paragraph" && one.text);
  let before = null;
  const node = el("div", { class: "card paper", tabindex: 0, role: "region", "aria-label": "Text" }, paragraphs.map((one) => {
    const head = one.page !== null && one.page !== before ? el("h3", { class: "soft" }, `Page ${one.page}`) : null;
    before = one.page;
    return [head, el("p", { class: one.moment === state.moment ? "now" : null }, one.text)];
  }));
  // Only the text is scrolled, not the page around it.
  requestAnimationFrame(() => {
    const now = node.querySelector(".now");
    if (now) node.scrollTop = now.getBoundingClientRect().top - node.getBoundingClientRect().top - node.clientHeight / 3;
  });
  return paragraphs.length ? node : el("div", { class: "card panel soft" }, "This file has no text.");
}
