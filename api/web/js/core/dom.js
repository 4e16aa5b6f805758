// Nodes made of text only: whatever comes from media is data and never markup.

/** An element with properties (`class`, `on` + event, `data` as an object, anything else as an attribute) and children: nodes or text. */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on") && typeof value === "function") made.addEventListener(name.slice(2).toLowerCase(), value);
    else if (name === "class") made.className = value;
    else if (name === "data") Object.assign(made.dataset, value);
    else if (name === "value" || name === "checked" || name === "disabled" || name === "muted") made[name] = value;
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Puts these children into a node instead of what it had. */
export function fill(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Text with the given words marked wherever they stand as whole words. */
export function marked(text, words) {
  const wanted = new Set(words.map((word) => word.toLowerCase()).filter(Boolean));
  if (!wanted.size) return [text];
  return text.split(/([\p{L}\p{N}_]+)/u).map((part) => (wanted.has(part.toLowerCase()) ? el("mark", {}, part) : part));
}

/** Says something to those who listen to the page. */
export function announce(text) {
  document.getElementById("live").textContent = text;
}

/** A dialog that goes when it is closed; `build(close)` gives its children. */
export function dialog(title, build) {
  const box = el("dialog", { "aria-label": title });
  const close = () => box.close();
  box.append(el("h2", {}, title), ...[build(close)].flat());
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
  return box;
}
