// What is seen follows from the address: its query holds the whole state, so a link reopens it.
const LISTS = new Set(["not", "label", "nolabel", "like", "unlike"]);

/** The state that an address stands for: single values as text, lists as arrays. */
export function read(search = location.search) {
  const given = new URLSearchParams(search);
  const state = {};
  for (const name of new Set(given.keys())) state[name] = LISTS.has(name) ? given.getAll(name) : given.get(name);
  for (const name of LISTS) state[name] ??= [];
  return state;
}

/** The address of a state. */
export function address(state) {
  const told = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    if (Array.isArray(value)) value.forEach((one) => told.append(name, one));
    else if (value !== null && value !== undefined && value !== "" && value !== false) told.set(name, value);
  }
  const query = told.toString();
  return query ? `/?${query}` : "/";
}

const listeners = new Set();
history.scrollRestoration = "manual"; // a view knows what of it was in sight

/** Goes to a state; `quiet` puts it in the place of the present one. */
export function go(state, { quiet = false } = {}) {
  const url = address(state);
  if (quiet) history.replaceState(null, "", url);
  else if (url !== location.pathname + location.search) history.pushState(null, "", url);
  for (const listener of listeners) listener(read(), quiet);
}

/** Changes some of the state. */
export function change(values, options) {
  go({ ...read(), ...values }, options);
}

export function follow(listener) {
  listeners.add(listener);
}

addEventListener("popstate", () => {
  for (const listener of listeners) listener(read(), false);
});

/** Links within the page keep it. */
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.target || link.download || link.origin !== location.origin || link.pathname !== "/" || link.getAttribute("href").startsWith("#")) return;
  event.preventDefault();
  go(read(link.search));
});
