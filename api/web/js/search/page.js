// Search: the query, what was found, the filters.
import { call } from "../core/api.js";
import { announce, el, fill } from "../core/dom.js";
import { MEDIA, count } from "../core/format.js";
import { vocabulary } from "../core/labels.js";
import { problem } from "../core/problem.js";
import { address, change, read } from "../core/state.js";
import { resultList } from "../results/list.js";
import { keep, kept } from "../results/seen.js";
import { beginning } from "./beginning.js";
import { facets } from "./facets.js";
import { queryForm } from "./form.js";
import { files } from "./held.js";
import { FIRST, MOST, body, filterCount, request, wants } from "./query.js";

export function open(root, state) {
  let running = null;
  let asked = null;
  let k = FIRST;
  const form = queryForm(() => search(read(), true));
  const filters = facets();
  const found = el("div", { class: "found" });
  const place = el("div", {});
  const list = resultList(place, () => more());
  const tabs = el("div", { class: "tabs", role: "group", "aria-label": "Media" });
  fill(root, el("h1", { class: "unseen" }, "Search"), form.node, tabs,
    el("div", { class: "layout" }, filters.node, el("section", { "aria-label": "Results" }, found, place)));

  function drawTabs(now) {
    fill(tabs, [["", "All"], ...Object.entries(MEDIA)].map(([medium, label]) =>
      el("button", { type: "button", "aria-pressed": String((now.media ?? "") === medium), onclick: () => change({ media: medium }) }, label)),
    el("button", {
      type: "button", class: "more-filters", "aria-controls": "filters", "aria-expanded": String(filters.node.classList.contains("open")),
      onclick: (event) => event.currentTarget.setAttribute("aria-expanded", String(filters.node.classList.toggle("open"))),
    }, filterCount(now) ? `Filters (${filterCount(now)})` : "Filters"));
  }

  const keyOf = (told) => JSON.stringify([told, files().map((one) => one.id)]);

  function comeBack(now) {
    const left = kept();
    if (!left || keyOf(request(now, left.k, files())) !== left.key) return false;
    ({ k, key: asked } = left);
    form.draw(now);
    drawTabs(now);
    shown(now, left.answer);
    scrollTo(0, left.top);
    list.reveal(left.moment);
    return true;
  }

  async function search(now, anew) {
    form.draw(now);
    drawTabs(now);
    if (!wants(now, files())) return nothingAsked(now);
    const key = keyOf(request(now, k, files()));
    if (key === asked && !anew) return undefined;
    running?.abort();
    running = new AbortController();
    const { signal } = running;
    asked = key;
    found.setAttribute("aria-busy", "true");
    try {
      const facets = (await vocabulary()).filter((one) => one.facet).map((one) => one.kind);
      if (signal.aborted) return undefined;
      const answer = await call("/v1/search", body(request(now, k, files(), facets), files(), signal));
      if (signal.aborted) return undefined;
      keep(answer.hits.length ? { key, k, answer } : null);
      await shown(now, answer);
    } catch (error) {
      if (error.name === "AbortError") return undefined;
      asked = null;
      list.show([], []);
      fill(found);
      if (error.code === "no_collection") await nothingThere(place);
      else fill(place, problem(error, () => search(read(), true)));
      announce(error.message);
    } finally {
      found.removeAttribute("aria-busy");
    }
    return undefined;
  }

  function shown(now, answer) {
    const { hits, notes, facets: counted, took_ms: took } = answer;
    filters.draw(now, counted);
    const told = hits.length < k ? count(hits.length, "hit") : `${count(hits.length, "hit")} or more`;
    fill(found, el("span", {}, el("strong", {}, told), ` in ${Math.round(took)} ms`, now.all ? el("span", { class: "soft" }, ", also what does not fit") : null),
      notes.map((note) => el("span", { class: "soft small" }, note)),
      now.all ? el("a", { href: address({ ...now, all: null }) }, "Only relevant results") : null);
    announce(hits.length ? told : "Nothing matches");
    if (!hits.length) return noMatch(now);
    list.show(hits, words(now));
    return undefined;
  }

  async function noMatch(now) {
    list.show([], []);
    const { signal } = running;
    const any = await call("/v1/assets?limit=1");
    if (signal.aborted) return undefined;
    if (!any.assets.length) return nothingThere(place);
    return fill(place, el("div", { class: "empty" }, el("h2", {}, "Nothing matches"),
      el("p", { class: "soft" }, "No indexed file is relevant enough to this search."),
      el("button", { class: "main", onclick: () => change({ all: "1" }) }, "Show the nearest anyway")));
  }

  async function nothingAsked(now) {
    running?.abort();
    asked = null;
    list.show([], []);
    filters.draw(now, {});
    fill(found);
    try {
      const { assets } = await call(`/v1/assets?limit=12${now.media ? `&media=${now.media}` : ""}`);
      if (!assets.length) await nothingThere(place);
      else fill(place, await beginning(assets));
    } catch (error) {
      if (error.code === "no_collection") await nothingThere(place);
      else fill(place, problem(error, () => nothingAsked(now)));
    }
  }

  function more() {
    if (k >= MOST || list.length < k) return;
    k = Math.min(MOST, k * 4);
    search(read(), false);
  }

  if (!comeBack(state)) {
    search(state, true);
    if (matchMedia("(pointer: fine)").matches) form.field.focus({ preventScroll: true });
  }
  return {
    update(now) { k = FIRST; search(now, false); },
    close() {
      if (kept()) Object.assign(kept(), { top: scrollY, moment: read().moment });
      running?.abort();
      form.close();
      list.close();
    },
  };
}

/** How many filters narrow what is found. */
const SMALL = new Set("a an and are as at be by do does for from how in is it its of on or the this to was what when where which who with".split(" "));

/** The words of the query that are worth marking. */
const words = (now) => ((now.q ?? "").match(/[\p{L}\p{N}_]+/gu) ?? []).filter((word) => !SMALL.has(word.toLowerCase()));

function nothingThere(place) {
  fill(place, el("div", { class: "empty" }, el("h2", {}, "Nothing is indexed yet"),
    el("p", { class: "soft" }, "Add photos, recordings, videos or documents here, or point Crossmedia at a folder:"),
    el("p", {}, el("code", {}, "crossmedia index FOLDER")),
    el("a", { class: "button", href: address({ view: "upload" }) }, "Add files")));
}
