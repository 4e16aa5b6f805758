// Add files: dropped or chosen, each with how far it is and what was wrong with it.
import { call } from "../core/api.js";
import { announce, el, fill } from "../core/dom.js";
import { bytes, count } from "../core/format.js";
import { address } from "../core/state.js";
import { dropped } from "./dropped.js";
import { Following } from "./following.js";
import { send } from "./sending.js";

const AT_ONCE = 3;

export function open(root) {
  let closed = false;
  let sending = 0;
  let ended = 0;
  let wrong = 0;
  let all = 0;
  const waiting = [];
  const following = new Following();
  const rows = el("tbody", {});
  const table = el("div", { class: "card wide", hidden: true }, el("table", {}, el("thead", {}, el("tr", {}, ["File", "Size", "State"].map((text) => el("th", { scope: "col" }, text)))), rows));
  const chooser = el("input", { type: "file", multiple: true, id: "files" });
  const folder = el("input", { type: "file", multiple: true, webkitdirectory: true, id: "folder" });
  for (const one of [chooser, folder]) {
    one.addEventListener("change", () => {
      take([...one.files].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
      one.value = "";
    });
  }
  const drop = el("div", { class: "drop" }, el("h2", {}, "Drop files or folders here"),
    el("p", { class: "soft" }, "Photos, recordings, videos, documents. They stay on this service."),
    el("div", { class: "row" }, el("label", { class: "field", for: "files" }, "Files", chooser), el("label", { class: "field", for: "folder" }, "A folder", folder)));
  drop.querySelector(".row").style.justifyContent = "center";
  const over = (on) => (event) => { event.preventDefault(); drop.classList.toggle("over", on); };
  drop.addEventListener("dragover", over(true));
  drop.addEventListener("dragleave", over(false));
  drop.addEventListener("drop", async (event) => { over(false)(event); take(await dropped(event.dataTransfer)); });
  const told = el("p", { role: "status" });
  fill(root, el("div", { class: "narrow" }, el("h1", {}, "Add"), drop, el("p", {}), told, table));

  function take(files) {
    table.hidden = !files.length && !all;
    all += files.length;
    waiting.push(...files.map(row));
    next();
  }

  function row({ file, path }) {
    const state = el("span", { class: "state" }, "waiting");
    const bar = el("progress", { max: 1, value: 0, "aria-label": `Progress of ${path}` });
    const line = el("tr", {}, el("td", {}, path), el("td", { class: "size" }, bytes(file.size)), el("td", {}, state, bar));
    rows.append(line);
    return {
      file, path,
      at(share, text) {
        state.textContent = text;
        if (share === null) bar.removeAttribute("value");
        else bar.value = share;
      },
      failed(error) {
        wrong += 1;
        rows.prepend(line); // among thousands nobody would look for it
        finished(`${error.message.replace(/\.?$/, ".")} ${error.hint ?? ""}`, "state failed");
      },
      done() { finished("searchable", "state done"); },
    };

    function finished(text, look) {
      state.textContent = text;
      state.className = look;
      bar.remove();
      ended += 1;
      tell();
    }
  }

  /** A few at once: a folder of thousands must not open thousands of connections. */
  async function next() {
    while (!closed && sending < AT_ONCE && waiting.length) {
      sending += 1;
      const one = waiting.shift();
      send(one).then((job) => following.add(job, one), (error) => one.failed(error)).finally(() => {
        sending -= 1;
        next();
      });
    }
    tell();
  }

  function tell() {
    if (closed || !all) return;
    const whole = ended === all;
    const text = `${whole ? "Done" : `${ended.toLocaleString("en")} of ${count(all, "file")}`}${wrong ? `, ${wrong.toLocaleString("en")} failed` : ""}. `;
    if (told.firstChild?.textContent !== text) fill(told, el("span", {}, text), ended > wrong ? el("a", { href: address({}) }, "Search") : null);
    if (whole) announce(text);
  }

  call("/v1/jobs?limit=1").catch(() => {}); // asks for the key, where one is needed, before files are sent
  return () => {
    closed = true;
    following.close();
  };
}
