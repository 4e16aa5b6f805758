// People and voices: who is there, where to see or hear them, and what they are to be called.
import { call, json, post } from "../core/api.js";
import { asked, sure } from "../core/asked.js";
import { el, fill } from "../core/dom.js";
import { clock, count } from "../core/format.js";
import { problem } from "../core/problem.js";
import { address } from "../core/state.js";

/** `of` tells how the one and the other are listed, shown and called. */
export async function named(root, of) {
  const place = el("div", {});
  fill(root, el("h1", {}, of.title), el("p", { class: "soft" }, of.about), place);
  async function draw() {
    try {
      const some = await of.list();
      fill(place, some.length ? el("ul", { class: "faces" }, some.map((one) => item(one, some))) : el("div", { class: "empty" }, el("h2", {}, of.none), el("p", { class: "soft" }, of.hint)));
    } catch (error) { fill(place, problem(error, draw)); }
  }

  function item(one, some) {
    return el("li", { class: "card" }, of.shown(one), el("strong", {}, one.name), el("span", { class: "soft small" }, of.counted(one)),
      el("div", { class: "row" },
        el("button", { onclick: () => rename(one) }, "Name"),
        some.length > 1 ? el("button", { onclick: () => merge(one, some) }, "Same as…") : null,
        el("a", { class: "button", href: address(of.search(one)) }, "Find"),
        of.forget ? el("button", { class: "danger", onclick: () => forget(one) }, "Forget") : null));
  }

  /** Does something and shows what became of it. */
  const redrawn = (act) => async () => { await act(); draw(); };

  function rename(one) {
    const field = el("input", { value: one.name, required: true, maxlength: 200, id: "named" });
    asked(`New name for ${one.name}`, el("label", { class: "field", for: "named" }, "Name", field), "Save", redrawn(() => call(`${of.path}/${encodeURIComponent(one.name)}`, json("PUT", { name: field.value.trim() }))));
  }

  function merge(one, some) {
    const field = el("select", { id: "other" }, some.filter((other) => other !== one).map((other) => el("option", { value: other.name }, other.name)));
    asked(`Merge ${one.name} with`, el("label", { class: "field", for: "other" }, "Other name", field), "Save", redrawn(() => post(`${of.path}/merge`, { [of.many]: [field.value, one.name], into: field.value })));
  }

  function forget(one) {
    sure(`Forget ${one.name}?`, `Erases all faces of ${one.name} from the index, with vectors and thumbnails. This cannot be undone.`, "Forget",
      redrawn(() => call(`${of.path}/${encodeURIComponent(one.name)}`, { method: "DELETE" })));
  }
  await draw();
}

export const seconds = (one) => `${count(one.turns, "turn")}, ${clock(one.seconds)}, ${count(one.assets, "file")}`;
