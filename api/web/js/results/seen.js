// What was shown on this page: a chip knows what its file is called, and what is opened from a hit knows what was found in it.
const MOST = 20000;
const names = new Map();
const hits = new Map();

export function remember(hit) {
  if (hits.size > MOST) { hits.clear(); names.clear(); }
  hits.set(hit.moment, hit);
  names.set(hit.asset, hit.path || hit.title);
}

export const nameOf = (asset) => names.get(asset)?.split("/").pop() ?? "this";
export const hitOf = (moment) => hits.get(moment) ?? null;

/** What was found last, and what of it was in sight: who comes back from a hit finds it as it was, unless something was removed. */
let last = null;

export const kept = () => last;
export const keep = (found) => { last = found; };

let order = [];

/** The hits that stand in the list now, in their order. */
export function inOrder(found) {
  order = found;
}

/** The hit that many places after the one of a moment; null where there is none. */
export function neighbour(moment, by) {
  const at = moment ? order.findIndex((hit) => hit.moment === moment) : -1;
  return at < 0 ? null : order[at + by] ?? null;
}

/** The part of a state that opens a hit. */
export const opens = (hit) => ({ asset: hit.asset, t: hit.start ?? null, page: hit.page ?? null, moment: hit.moment });
