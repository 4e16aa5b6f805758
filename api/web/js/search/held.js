// Files that are searched with: they stay in memory, since an address cannot hold them.
const held = [];
let number = 0;

export const files = () => held;

export function hold(file, weight = 1) {
  number += 1;
  held.push({ id: number, file, weight, url: URL.createObjectURL(file) });
}

export function drop(id) {
  const at = held.findIndex((one) => one.id === id);
  if (at >= 0) URL.revokeObjectURL(held.splice(at, 1)[0].url);
}

/** What was wanted is unwanted, and the other way round. */
export function turn(id) {
  const one = held.find((some) => some.id === id);
  if (one) one.weight = -one.weight;
}
