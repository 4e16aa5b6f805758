// A state as the request of a search.
import { condition } from "../core/format.js";

export const FIRST = 60;
export const MOST = 10000;

/** The JSON object of POST /v1/search; `files`: what was dropped, in its order; `facets`: kinds of labels to count. */
export function request(state, k, files = [], facets = []) {
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
  if (files.length) told.files = files.map((one) => ({ weight: one.weight }));
  return told;
}

/** How many filters are set in the panel of filters. */
export const filterCount = (state) => state.label.length + state.nolabel.length + ["after", "before", "path"].filter((name) => state[name]).length;

/** Whether there is something to search for; what is unwanted is not enough, filters are where nothing is unwanted. */
export function wants(state, files) {
  if (state.q || state.like.length || files.some((one) => one.weight > 0)) return true;
  const unwanted = state.not.length || state.unlike.length || files.length;
  return !unwanted && Boolean(filterCount(state) || state.collection);
}

/** The options of a fetch for a request with files beside it. */
export function body(told, files, signal) {
  if (!files.length) return { method: "POST", body: JSON.stringify(told), headers: { "Content-Type": "application/json" }, signal };
  const form = new FormData();
  form.append("query", JSON.stringify(told));
  for (const one of files) form.append("file", one.file, one.file.name);
  return { method: "POST", body: form, signal };
}
