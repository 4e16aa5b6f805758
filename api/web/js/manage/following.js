// What becomes of files that were sent: all of their jobs are asked after together.
import { call } from "../core/api.js";

const POLL = 800;
const MOST = 1000;

export class Following {
  #jobs = new Map();
  #timer = null;
  #closed = false;

  /** `one` hears `at(share, text)`, and at last `done()` or `failed(error)`. */
  add(job, one) {
    this.#jobs.set(job, one);
    one.at(null, "waiting");
    this.#timer ??= setTimeout(() => this.#look(), POLL / 4);
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #look() {
    try {
      const { jobs } = await call(`/v1/jobs?limit=${MOST}`);
      await Promise.all(jobs.filter((job) => this.#jobs.has(job.id)).map((job) => this.#tell(job)));
    } catch {
      // Whoever does not answer now may answer next time.
    }
    this.#timer = this.#jobs.size && !this.#closed ? setTimeout(() => this.#look(), POLL) : null;
  }

  async #tell(job) {
    const one = this.#jobs.get(job.id);
    if (job.state === "queued" || job.state === "running") {
      one.at(job.total ? job.done / job.total : null, job.state === "running" ? "being read" : "waiting");
      return;
    }
    const whole = await call(`/v1/jobs/${job.id}`); // the list leaves reports out
    this.#jobs.delete(job.id);
    const [first] = whole.report?.failures ?? [];
    if (first) one.failed(first.error ?? first);
    else if (whole.state === "failed") one.failed(whole.error);
    else one.done();
  }
}
