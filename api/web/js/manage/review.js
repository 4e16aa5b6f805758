// What the rules want somebody to look at, and what somebody decides.
import { call, post, thumbnail } from "../core/api.js";
import { el, fill } from "../core/dom.js";
import { name, percent } from "../core/format.js";
import { problem } from "../core/problem.js";
import { address } from "../core/state.js";

export async function open(root) {
  const place = el("div", {});
  const who = el("input", { id: "who", autocomplete: "name", required: true, placeholder: "Who decides" });
  fill(root, el("h1", {}, "Review"), el("p", { class: "soft" }, "Files flagged by a rule or a bank. Decisions are recorded with their reasons and never changed."),
    el("p", {}, el("label", { class: "field", for: "who" }, "Your name", who)), place);
  async function draw() {
    try {
      const { decisions: items } = await call("/v1/review");
      fill(place, items.length ? el("ul", { class: "faces" }, items.map(item)) : el("div", { class: "empty" }, el("h2", {}, "Nothing to review"), el("p", { class: "soft" }, "No rule or bank has flagged a file.")));
    } catch (error) { fill(place, problem(error, draw)); }
  }
  function item(one) {
    const picture = el("img", { src: thumbnail(one.asset), alt: "" });
    picture.addEventListener("error", () => picture.remove());
    const decide = (action) => async () => {
      if (!who.reportValidity()) return;
      try { await post(`/v1/review/${one.asset}`, { action, by: who.value.trim(), note: "" }); draw(); } catch (error) { fill(place, problem(error, draw)); }
    };
    return el("li", { class: "card" }, picture, el("strong", {}, name(one.path ?? one.asset)), el("span", { class: "state" }, one.action),
      one.reasons.map((reason) => el("span", { class: "small" }, [reason.kind ?? reason.bank, reason.value, typeof reason.score === "number" ? percent(reason.score) : null].filter(Boolean).join(" "))),
      el("div", { class: "row" }, el("button", { onclick: decide("allow") }, "Allow"), el("button", { class: "danger", onclick: decide("block") }, "Block"), el("a", { class: "button", href: address({ asset: one.asset }) }, "Open")));
  }
  await draw();
}
