// A state as the request of a search.
import { condition } from "../core/format.js";

export const FIRST = 60;
export const MOST = 20000;
const AT_ONCE = 10000;

/** The orders of the menu, as the address and the service have them. */
export const ORDERS = {
  date: "Newest first", "date-asc": "Oldest first", name: "Name", "name-desc": "Name, Z to A",
  length: "Longest first", "length-asc": "Shortest first", size: "Largest first", "size-asc": "Smallest first",
};

/** How many hits to ask for where so many are there: ever more, since who goes on goes far. */
export const following = (there) => Math.min(3 * there, AT_ONCE, MOST - there);

/** The JSON object of POST /v1/search; `files`: what was dropped, in its order; `facets`: kinds of labels to count; `cursor`: what it goes on after. */
export function request(state, k, files = [], facets = [], cursor = null) {
  const labels = [...state.label.map((one) => condition(one)), ...state.nolabel.map((one) => condition(one, true))];
  const filters = { labels };
  for (const name of ["after", "before", "path", "collection"]) if (state[name]) filters[name] = state[name];
  const told = {
    text: state.q ? [state.q] : [], negative: state.not, k, filters, facets,
    examples: [...state.like.map((asset) => ({ asset, weight: 1 })), ...state.unlike.map((asset) => ({ asset, weight: -1 }))],
  };
  if (state.media) told.media = [state.media];
  if (state.leg) told.legs = [state.leg];
  if (state.all) told.min_relevance = 0;
  if (state.sort) told.sort = state.sort;
  if (cursor) told.cursor = cursor;
  if (files.length) told.files = files.map((one) => ({ weight: one.weight }));
  return told;
}

/** How many filters are set in the panel of filters. */
export const filterCount = (state) => state.label.length + state.nolabel.length + ["after", "before", "path"].filter((name) => state[name]).length;

/** Whether something is looked for, so that a hit can be more relevant than another. */
export const asks = (state, files) => Boolean(state.q || state.like.length || files.some((one) => one.weight > 0));

/** Whether there is something to search for; what is unwanted is not enough, filters or an order are where nothing is unwanted. */
export function wants(state, files) {
  if (asks(state, files)) return true;
  const unwanted = state.not.length || state.unlike.length || files.length;
  return !unwanted && Boolean(filterCount(state) || state.collection || state.sort);
}

/** The options of a fetch for a request with files beside it. */
export function body(told, files, signal) {
  if (!files.length) return { method: "POST", body: JSON.stringify(told), headers: { "Content-Type": "application/json" }, signal };
  const form = new FormData();
  form.append("query", JSON.stringify(told));
  for (const one of files) form.append("file", one.file, one.file.name);
  return { method: "POST", body: form, signal };
}
