// What is being indexed, and what came of it.
import { call } from "../core/api.js";
import { el, fill } from "../core/dom.js";
import { problem } from "../core/problem.js";
import { address } from "../core/state.js";

const POLL = 3000;

export async function open(root) {
  let timer = null;
  let closed = false;
  let before = "";
  const told = new Map(); // what somebody asked to see stays open
  const place = el("div", {});
  fill(root, el("h1", {}, "Jobs"), place);
  async function draw() {
    try {
      const { jobs } = await call("/v1/jobs");
      if (before !== (before = JSON.stringify(jobs))) {
        fill(place, jobs.length ? el("div", { class: "card wide" }, el("table", {},
          el("thead", {}, el("tr", {}, ["Added", "State", "Progress", "Result"].map((text) => el("th", { scope: "col" }, text)))),
          el("tbody", {}, jobs.map((job) => row(job, told))))) : el("div", { class: "empty" }, el("h2", {}, "No jobs"), el("a", { class: "button", href: address({ view: "upload" }) }, "Add files")));
      }
    } catch (error) {
      before = "";
      fill(place, problem(error, draw));
    }
    clearTimeout(timer);
    if (!closed) timer = setTimeout(draw, POLL);
  }
  await draw();
  return () => { closed = true; clearTimeout(timer); };
}

function row(job, told) {
  const result = el("td", {}, job.error ? `${job.error.message} ${job.error.hint}` : null, told.get(job.id));
  if (job.state === "done" && !told.has(job.id)) {
    result.append(el("button", {
      class: "plain small",
      onclick: async () => {
        const came = await call(`/v1/jobs/${job.id}`).then(report, (error) => [error.message]);
        told.set(job.id, el("div", { tabindex: -1 }, came));
        fill(result, told.get(job.id));
        told.get(job.id).focus();
      },
    }, "Result"));
  }
  return el("tr", {}, el("td", { title: job.id }, new Date(1000 * job.created).toLocaleString()), el("td", { class: `state ${job.state}` }, job.state),
    el("td", {}, job.total ? el("progress", { max: job.total, value: job.done, "aria-label": "Progress" }) : null),
    result);
}

function report({ report: told }) {
  return [Object.entries(told).filter(([, n]) => typeof n === "number" && n).map(([key, n]) => `${key} ${n}`).join(", ") || "nothing new",
    (told.failures ?? []).map((one) => el("div", { class: "small" }, `${one.path}: ${(one.error ?? one).message}`))];
}
