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
