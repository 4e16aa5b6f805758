// Where is …? Words are looked for in the picture that is shown, and what is near to them glows.
import { call } from "../core/api.js";
import { announce, el, fill } from "../core/dom.js";
import { percent } from "../core/format.js";
import { boxed } from "../results/boxes.js";

const MAX_WORDS = 300;
const GLOW = [255, 60, 0];

/** A field beneath a picture or a film; nothing for what has no pictures. `view`: the stage. */
export function whereabouts(asset, view, state) {
  if (!["image", "video"].includes(asset.media)) return null;
  const field = el("input", { type: "search", id: "where", maxlength: MAX_WORDS, value: state.q ?? "", autocomplete: "off", placeholder: "a red bike" });
  const button = el("button", { type: "submit" }, "Show");
  const said = el("p", { class: "small soft", role: "status" });
  let turn = 0;
  const say = (text) => { said.textContent = text; announce(text); };
  const ask = async (event) => {
    event.preventDefault();
    const words = field.value.trim();
    const mine = (turn += 1);
    view.glow(null);
    if (!words) return say("");
    button.disabled = true;
    say("Looking …");
    try {
      const asked = new URLSearchParams({ words });
      const moment = view.moment();
      if (moment) asked.set("moment", moment);
      const answer = await call(`/v1/assets/${asset.asset}/where?${asked}`);
      if (mine !== turn) return;
      if (answer.seen) view.glow(answer.moment, [drawn(answer.heat), boxed([answer.box])]);
      say(answer.seen ? `${answer.words}: ${answer.place} (${percent(answer.chance)})` : `Not seen here: ${answer.words}`);
    } catch (error) {
      if (mine === turn) say([error.message, error.hint].filter(Boolean).join(" — "));
    } finally {
      button.disabled = false;
    }
  };
  field.addEventListener("input", () => { if (!field.value) { turn += 1; view.glow(null); say(""); } });
  return el("form", { class: "where", onsubmit: ask }, el("label", { for: "where" }, "Where is …?"), field, button, said);
}

/** Rows of numbers from 0 to 1 as a canvas of as many pixels, the clearer the hotter; styles stretch it. */
function drawn(heat) {
  const canvas = el("canvas", { class: "glow", "aria-hidden": "true", width: heat[0].length, height: heat.length });
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  heat.flat().forEach((cell, n) => image.data.set([...GLOW, Math.round(255 * cell)], 4 * n));
  context.putImageData(image, 0, 0);
  return canvas;
}
