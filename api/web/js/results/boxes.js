// Boxes over a picture: fractions of its width and height, laid by style so that they follow its size.
import { el } from "../core/dom.js";

const BLINK = 0.4;

export function boxed(boxes, label = "") {
  return boxes.map(([x0, y0, x1, y1]) => {
    const node = el("span", { class: "box", "aria-hidden": "true" }, label ? el("span", { class: y0 < 0.08 ? "inside" : null }, label) : null);
    node.style.left = `${100 * x0}%`;
    node.style.top = `${100 * y0}%`;
    node.style.width = `${100 * (x1 - x0)}%`;
    node.style.height = `${100 * (y1 - y0)}%`;
    return node;
  });
}

/** Whether a label's box lies there at a second of a film: a key frame's for the blink around it. */
export const there = (label, second) => label.start === null || label.start === undefined || (label.start - BLINK <= second && second <= label.end + BLINK);
