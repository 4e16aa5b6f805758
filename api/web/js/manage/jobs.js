// What is being indexed, and what came of it.
import { call } from "../core/api.js";
import { el, fill } from "../core/dom.js";
import { problem } from "../core/problem.js";
import { address } from "../core/state.js";

const POLL = 3000;

export async function open(root) {
  let timer = null;
  const place = el("div", {});
  fill(root, el("h1", {}, "Jobs"), place);
  async function draw() {
    try {
      const { jobs } = await call("/v1/jobs");
      fill(place, jobs.length ? el("div", { class: "card wide" }, el("table", {},
        el("thead", {}, el("tr", {}, ["Job", "State", "Progress", "Result"].map((text) => el("th", { scope: "col" }, text)))),
        el("tbody", {}, jobs.map(row)))) : el("div", { class: "empty" }, el("h2", {}, "No jobs"), el("a", { class: "button", href: address({ view: "upload" }) }, "Add files")));
    } catch (error) { fill(place, problem(error, draw)); }
    timer = setTimeout(draw, POLL);
  }
  await draw();
  return () => clearTimeout(timer);
}

function row(job) {
  const result = el("td", {}, job.error ? `${job.error.message} ${job.error.hint}` : null);
  if (job.state === "done") {
    result.append(el("button", { class: "plain small", onclick: async () => fill(result, report(await call(`/v1/jobs/${job.id}`))) }, "What came of it"));
  }
  return el("tr", {}, el("td", {}, el("code", {}, job.id.slice(0, 8))), el("td", { class: `state ${job.state}` }, job.state),
    el("td", {}, job.total ? el("progress", { max: job.total, value: job.done, "aria-label": "Progress" }) : null),
    result);
}

function report({ report: told }) {
  return [Object.entries(told).filter(([, n]) => typeof n === "number" && n).map(([key, n]) => `${key} ${n}`).join(", ") || "nothing new",
    (told.failures ?? []).map((one) => el("div", { class: "small" }, `${one.path}: ${(one.error ?? one).message}`))];
}
