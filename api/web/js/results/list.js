// The hits in rows, of which only those near the window are in the document: ten thousand cost no more than thirty.
import { typing } from "../core/keys.js";
import { el, fill } from "../core/dom.js";
import { card } from "./card.js";
import { inOrder } from "./seen.js";

const HEIGHT = 330;
const LEAST = 230;
const GAP = 16;
const AROUND = 2;

/** `near()` is called when the end comes near. */
export function resultList(place, near) {
  const room = el("div", { class: "window", role: "list", "aria-label": "Hits" });
  let hits = [];
  let words = [];
  let columns = 1;
  let drawn = new Map();
  let waiting = false;

  const measure = () => { columns = Math.max(1, Math.floor((room.clientWidth + GAP) / (LEAST + GAP))); };

  function draw() {
    waiting = false;
    if (!room.isConnected || !hits.length) return;
    const width = Math.floor((room.clientWidth - GAP * (columns - 1)) / columns); // half a pixel would be cut off
    const rows = Math.ceil(hits.length / columns);
    room.style.height = `${rows * (HEIGHT + GAP) - GAP}px`;
    const top = room.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / (HEIGHT + GAP)) - AROUND);
    const last = Math.min(rows, Math.ceil((innerHeight - top) / (HEIGHT + GAP)) + AROUND);
    const kept = new Map();
    for (let n = first * columns; n < Math.min(hits.length, last * columns); n += 1) {
      const node = drawn.get(n) ?? card(hits[n], words, n);
      node.style.width = `${width}px`;
      node.style.height = `${HEIGHT}px`;
      node.style.transform = `translate(${(n % columns) * (width + GAP)}px, ${Math.floor(n / columns) * (HEIGHT + GAP)}px)`;
      node.setAttribute("aria-setsize", hits.length);
      node.setAttribute("aria-posinset", n + 1);
      kept.set(n, node);
    }
    for (const [n, node] of drawn) if (!kept.has(n)) node.remove();
    let before = null;
    for (const node of kept.values()) {
      if (!node.isConnected) {
        if (before) before.after(node);
        else room.prepend(node);
      }
      before = node;
    }
    drawn = kept;
    if (last >= rows - 2) near();
  }

  const soon = () => { if (!waiting) { waiting = true; requestAnimationFrame(draw); } };
  const resized = new ResizeObserver(() => { measure(); soon(); });
  resized.observe(room);
  addEventListener("scroll", soon, { passive: true });

  function onKey(event) {
    if (typing(event) || document.querySelector("dialog[open]") || !hits.length || !room.isConnected) return;
    const step = { j: 1, ArrowRight: 1, k: -1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    if (!step) return;
    event.preventDefault();
    const now = document.activeElement.closest?.(".hit")?.dataset.number;
    focus(now === undefined ? 0 : Math.max(0, Math.min(hits.length - 1, Number(now) + step)));
  }

  function focus(n) {
    const row = Math.floor(n / columns);
    const top = room.getBoundingClientRect().top + row * (HEIGHT + GAP);
    if (top < 80) scrollBy(0, top - 80);
    else if (top + HEIGHT > innerHeight) scrollBy(0, top + HEIGHT - innerHeight + 8);
    draw();
    drawn.get(n)?.querySelector(".open").focus({ preventScroll: true });
  }
  document.addEventListener("keydown", onKey);

  return {
    get length() { return hits.length; },
    show(found, asked) {
      const same = found.length > hits.length && hits.length && hits.every((one, n) => one.moment === found[n].moment);
      hits = found;
      words = asked;
      inOrder(found);
      if (!same) { drawn.forEach((node) => node.remove()); drawn = new Map(); }
      if (!found.length) { room.remove(); return; }
      if (!room.isConnected) fill(place, room);
      measure();
      draw();
    },
    /** Puts the focus on the hit of a moment. */
    reveal(moment) {
      const n = hits.findIndex((one) => one.moment === moment);
      if (n >= 0) focus(n);
    },
    close() {
      resized.disconnect();
      removeEventListener("scroll", soon);
      document.removeEventListener("keydown", onKey);
    },
  };
}
