// A failure, as somebody can use it: what is wrong, what to do, and trying again.
import { el } from "./dom.js";

export function problem(error, again = null) {
  return el("div", { class: "card panel error", role: "alert" },
    el("h2", {}, error.status === 0 || error.code === "unreachable" ? "The service cannot be reached" : "Something went wrong"),
    el("p", {}, error.message),
    error.hint ? el("p", { class: "soft" }, error.hint) : null,
    again ? el("button", { class: "main", onclick: again }, "Try again") : null);
}
