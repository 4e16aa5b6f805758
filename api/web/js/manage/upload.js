// Add files: dropped or chosen, each with how far it is and what was wrong with it.
import { call, failure } from "../core/api.js";
import { announce, el, fill } from "../core/dom.js";
import { bytes } from "../core/format.js";
import { address } from "../core/state.js";

const POLL = 700;

export function open(root) {
  let closed = false;
  const rows = el("tbody", {});
  const table = el("div", { class: "card wide", hidden: true }, el("table", {}, el("thead", {}, el("tr", {}, ["File", "Size", "State"].map((text) => el("th", { scope: "col" }, text)))), rows));
  const chooser = el("input", { type: "file", multiple: true, id: "files" });
  const folder = el("input", { type: "file", multiple: true, webkitdirectory: true, id: "folder" });
  for (const one of [chooser, folder]) one.addEventListener("change", () => { send([...one.files]); one.value = ""; });
  const drop = el("div", { class: "drop" }, el("h2", {}, "Drop files here"),
    el("p", { class: "soft" }, "Photos, recordings, videos, documents. They stay on this service."),
    el("div", { class: "row" }, el("label", { class: "field", for: "files" }, "Files", chooser), el("label", { class: "field", for: "folder" }, "A folder", folder)));
  drop.querySelector(".row").style.justifyContent = "center";
  const over = (on) => (event) => { event.preventDefault(); drop.classList.toggle("over", on); };
  drop.addEventListener("dragover", over(true));
  drop.addEventListener("dragleave", over(false));
  drop.addEventListener("drop", (event) => { over(false)(event); send([...event.dataTransfer.files]); });
  const done = el("p", { role: "status" });
  fill(root, el("div", { class: "narrow" }, el("h1", {}, "Add"), drop, el("p", {}), done, table));

  function send(files) {
    table.hidden = false;
    for (const file of files) one(file);
  }

  function one(file) {
    const state = el("td", { class: "state" }, "waiting");
    const bar = el("progress", { max: 1, value: 0, "aria-label": `How far ${file.name} is` });
    rows.append(el("tr", {}, el("td", {}, file.webkitRelativePath || file.name), el("td", {}, bytes(file.size)), el("td", {}, state, bar)));
    const request = new XMLHttpRequest();
    const form = new FormData();
    form.append("file", file, file.name);
    form.append("path", file.webkitRelativePath || file.name);
    const fail = (error) => { state.textContent = `${error.message} ${error.hint ?? ""}`; state.className = "state failed"; bar.remove(); announce(`${file.name} failed`); };
    request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) { bar.value = event.loaded / event.total; state.textContent = "sending"; } });
    request.addEventListener("error", () => fail({ message: "The service does not answer." }));
    request.addEventListener("load", async () => {
      if (request.status !== 202) return fail(await failure(new Response(request.response, { status: request.status })));
      return followed(JSON.parse(await request.response.text()).id, state, bar, fail, file);
    });
    request.responseType = "blob";
    request.open("POST", "/v1/assets");
    request.send(form);
  }

  async function followed(id, state, bar, fail, file) {
    for (;;) {
      if (closed) return;
      const job = await call(`/v1/jobs/${id}`).catch((error) => { fail(error); return null; });
      if (!job) return;
      const failures = job.report?.failures ?? [];
      if (failures.length) { fail(failures[0].error ?? failures[0]); return; }
      if (job.state === "failed") { fail(job.error); return; }
      if (job.state === "done") {
        state.textContent = "searchable";
        state.className = "state done";
        bar.remove();
        fill(done, "Done. ", el("a", { href: address({}) }, "Search it"));
        announce(`${file.name} is searchable`);
        return;
      }
      state.textContent = job.state === "running" ? "being read" : "waiting for its turn";
      if (job.total) bar.value = job.done / job.total;
      else bar.removeAttribute("value");
      await new Promise((resolve) => { setTimeout(resolve, POLL); });
    }
  }
  return () => { closed = true; };
}
