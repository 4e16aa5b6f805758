// Which view is shown. Each is a module with `open(root, state)`: it fills `root` and returns what is to be done when it is left
// (a function, or nothing). While the view stays, a changed state comes to `update(state)` of what it returned, if it has one.
import { el, fill } from "./dom.js";
import { address } from "./state.js";
import { problem } from "./problem.js";

export const VIEWS = {
  search: { title: "Search", load: () => import("../search/page.js") },
  ask: { title: "Ask", load: () => import("../ask/page.js") },
  asset: { load: () => import("../asset/page.js") },
  upload: { title: "Add", load: () => import("../manage/upload.js") },
  jobs: { title: "Jobs", load: () => import("../manage/jobs.js") },
  people: { title: "People", load: () => import("../manage/people.js") },
  voices: { title: "Voices", load: () => import("../manage/voices.js") },
  lookup: { title: "Look up", load: () => import("../manage/lookup.js") },
  review: { title: "Review", load: () => import("../manage/review.js") },
};

export const viewOf = (state) => (state.asset ? "asset" : state.view in VIEWS ? state.view : "search");

let shown = { name: null, opened: null, turn: 0 };

/** Shows what a state asks for. */
export async function show(root, state) {
  const name = viewOf(state);
  navigation(name);
  if (shown.name === name && shown.opened?.update) return Promise.resolve(shown.opened.update(state)).catch((error) => fill(root, problem(error)));
  const turn = (shown.turn += 1);
  leave();
  shown.name = name;
  try {
    const module = await VIEWS[name].load();
    if (turn !== shown.turn) return undefined;
    document.title = VIEWS[name].title ? `${VIEWS[name].title} · Crossmedia` : "Crossmedia";
    fill(root);
    const opened = await module.open(root, state);
    if (turn === shown.turn) shown.opened = opened ?? null;
    else close(opened);
  } catch (error) {
    if (turn === shown.turn) fill(root, problem(error, () => { shown.name = null; show(root, state); }));
  }
  return undefined;
}

function leave() {
  close(shown.opened);
  shown.opened = null;
}

function close(opened) {
  if (typeof opened === "function") opened();
  else opened?.close?.();
}

function navigation(current) {
  const views = document.querySelector(".views");
  fill(document.querySelector(".views"), Object.entries(VIEWS).filter(([, view]) => view.title).map(([name, view]) =>
    el("a", { href: address(name === "search" ? {} : { view: name }), "aria-current": name === current ? "page" : null }, view.title)));
  // On a narrow screen they are a row that is longer than the screen.
  const here = views.querySelector("[aria-current]");
  if (here && views.scrollWidth > views.clientWidth) views.scrollLeft = here.offsetLeft - (views.clientWidth - here.offsetWidth) / 2;
}
