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
import { FIRST, ORDERS, asks, body, filterCount, following, request, wants } from "./query.js";

export function open(root, state) {
  let running = null;
  let asked = null;
  let answered = null;
  let waiting = false;
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
    }, filterCount(now) ? `Filters (${filterCount(now)})` : "Filters"), wants(now, files()) ? orderMenu(now) : null);
  }

  function orderMenu(now) {
    const best = asks(now, files());
    const menu = el("select", { "aria-label": "Order", onchange: () => change({ sort: menu.value }) },
      Object.entries(best ? { "": "Best first", ...ORDERS } : ORDERS).map(([value, label]) => el("option", { value }, label)));
    menu.value = now.sort ?? (best ? "" : "date");
    return menu;
  }

  const keyOf = (told) => JSON.stringify([told, files().map((one) => one.id)]);

  function comeBack(now) {
    const left = kept();
    if (!left || keyOf(request(now, FIRST, files())) !== left.key) return false;
    ({ answer: answered, key: asked } = left);
    form.draw(now);
    drawTabs(now);
    shown(now);
    scrollTo(0, left.top);
    list.reveal(left.moment);
    return true;
  }

  async function search(now, anew) {
    form.draw(now);
    drawTabs(now);
    if (!wants(now, files())) return nothingAsked(now);
    const key = keyOf(request(now, FIRST, files()));
    if (key === asked && !anew) return undefined;
    running?.abort();
    running = new AbortController();
    const { signal } = running;
    asked = key;
    answered = null;
    waiting = false;
    found.setAttribute("aria-busy", "true");
    try {
      const facets = (await vocabulary()).filter((one) => one.facet).map((one) => one.kind);
      if (signal.aborted) return undefined;
      const answer = await call("/v1/search", body(request(now, FIRST, files(), facets), files(), signal));
      if (signal.aborted) return undefined;
      answered = answer;
      keep(answer.hits.length ? { key, answer } : null);
      await shown(now);
    } catch (error) {
      if (error.name === "AbortError") return undefined;
      asked = null;
      answered = null;
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

  function shown(now) {
    const { hits, notes, facets: counted, took_ms: took, next } = answered;
    filters.draw(now, counted);
    const told = next ? `${count(hits.length, "hit")} or more` : count(hits.length, "hit");
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
    answered = null;
    list.show([], []);
    filters.draw(now, {});
    fill(found);
    try {
      const { assets } = await call(`/v1/assets?limit=12${now.media ? `&media=${now.media}` : ""}`);
      if (!assets.length) await nothingThere(place);
      else fill(place, await beginning(assets, now.media));
    } catch (error) {
      if (error.code === "no_collection") await nothingThere(place);
      else fill(place, problem(error, () => nothingAsked(now)));
    }
  }

  /** Adds the page that comes after what is there. */
  async function more() {
    const before = answered;
    const now = read();
    const k = before?.next ? following(before.hits.length) : 0;
    if (k < 1 || waiting || keyOf(request(now, FIRST, files())) !== asked) return;
    waiting = true;
    const { signal } = (running = new AbortController());
    found.setAttribute("aria-busy", "true");
    try {
      const page = await call("/v1/search", body(request(now, k, files(), [], before.next), files(), signal));
      if (signal.aborted) return;
      answered = { ...before, ...page, facets: before.facets, notes: before.notes, hits: [...before.hits, ...page.hits] };
      keep({ key: asked, answer: answered });
      waiting = false;
      shown(now);
    } catch (error) {
      if (error.name === "AbortError") return;
      fill(found, problem(error, () => { waiting = false; shown(now); more(); })); // what is there stays
      announce(error.message);
    } finally {
      if (!signal.aborted) found.removeAttribute("aria-busy");
    }
  }

  if (!comeBack(state)) {
    search(state, true);
    if (matchMedia("(pointer: fine)").matches) form.field.focus({ preventScroll: true });
  }
  return {
    update(now) { search(now, false); },
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
