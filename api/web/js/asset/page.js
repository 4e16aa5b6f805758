// One asset: its stage, its time line, what is said, what is known.
import { call } from "../core/api.js";
import { sure } from "../core/asked.js";
import { el, fill } from "../core/dom.js";
import { ONE, bytes, clock } from "../core/format.js";
import { address, go } from "../core/state.js";
import { typing } from "../core/keys.js";
import { keep, neighbour, opens, remember } from "../results/seen.js";
import { facts } from "./facts.js";
import { stage } from "./stage.js";
import { timeline } from "./timeline.js";
import { spoken } from "./spoken.js";
import { whereabouts } from "./where.js";

let newest = 0;

export async function open(root, state) {
  const turn = (newest += 1);
  const asset = await call(`/v1/assets/${encodeURIComponent(state.asset)}`);
  if (turn !== newest) return null; // somebody went on to another
  document.title = `${asset.title} · Crossmedia`;
  const back = { ...state, asset: null, t: null, page: null, moment: null };
  const view = stage(asset, state);
  const lanes = timeline(asset, view);
  const words = spoken(asset, view);
  const remove = () => sure("Remove this from the index?", "Files that were indexed by their path stay where they are.", "Remove", async () => {
    await call(`/v1/assets/${asset.asset}`, { method: "DELETE" });
    keep(null);
    go(back);
  });
  const beside = (by) => {
    const hit = neighbour(state.moment, by);
    if (hit) remember(hit);
    return hit && { ...state, page: null, ...opens(hit) };
  };
  const step = (by, text) => (beside(by) ? el("a", { class: "button", href: address(beside(by)) }, text) : null);
  fill(root,
    el("div", { class: "row ways" }, el("a", { href: address(back), id: "back" }, "← Back to what was found"), step(-1, "Previous hit"), step(1, "Next hit")),
    el("div", { class: "row" }, el("h1", {}, asset.title)),
    el("p", { class: "soft" }, [ONE[asset.media], bytes(asset.size), asset.metadata.seconds ? clock(asset.metadata.seconds) : null,
      asset.metadata.width ? `${asset.metadata.width} × ${asset.metadata.height}` : null, asset.captured?.slice(0, 10)].filter(Boolean).join(" · ")),
    el("div", { class: "asset" },
      el("div", { class: "shown" }, view.node, whereabouts(asset, view, state), lanes?.node ?? null),
      el("div", {},
        el("div", { class: "row" },
          el("a", { class: "button", href: address({ view: "ask", about: asset.asset }) }, "Ask about this"),
          el("a", { class: "button", href: address({ like: [asset.asset] }) }, "More like this"),
          el("a", { class: "button", href: `/v1/assets/${asset.asset}/content`, download: asset.title }, "Download"),
          el("button", { class: "danger", onclick: remove }, "Remove")),
        el("p", {}), words?.node ?? null, facts(asset, view))));
  document.getElementById("main").focus({ preventScroll: true });
  scrollTo(0, 0);

  const onKey = (event) => {
    if (typing(event) || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") go(back);
    else if (["j", "k"].includes(event.key)) {
      const other = beside(event.key === "j" ? 1 : -1);
      if (other) go(other);
    }
    else if (event.key === " " && !event.target.closest("button, a, summary")) { event.preventDefault(); view.toggle(); }
  };
  document.addEventListener("keydown", onKey);
  return {
    async update(now) {
      if (now.asset === state.asset && now.moment === state.moment) return view.seek(Number(now.t) || 0, now);
      this.close();
      const opened = await open(root, now);
      return opened && Object.assign(this, opened);
    },
    close() { document.removeEventListener("keydown", onKey); view.close(); },
  };
}
