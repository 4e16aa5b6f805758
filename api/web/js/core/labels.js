// The vocabulary of labels, asked for once. A page without it works: a kind is then called by its own name.
import { call } from "./api.js";

const PATIENCE = 1000; // ms that a view waits for it

let known = [];
const loaded = call("/v1/labels/kinds").then(({ kinds }) => { known = kinds; }).catch(() => {});

/** The kinds in the order in which people see them; none where they do not come in time. */
export async function vocabulary() {
  await Promise.race([loaded, new Promise((resolve) => { setTimeout(resolve, PATIENCE); })]);
  return known;
}

export const titleOf = (kind) => known.find((one) => one.kind === kind)?.title ?? kind;
