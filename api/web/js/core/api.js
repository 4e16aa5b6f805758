// The public HTTP API, and its failures as they are told.
import { dialog, el } from "./dom.js";

export class Failure extends Error {
  constructor({ code, message, hint }, status) {
    super(message);
    this.code = code;
    this.hint = hint;
    this.status = status;
  }
}

/** A request; the answer as JSON. `options` as for `fetch`; what is refused for want of a key is asked for and tried again. */
export async function call(path, options = {}) {
  const response = await answered(path, options);
  return response.status === 204 ? null : response.json();
}

/** The same, as the response itself. */
export async function answered(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure({ code: "unreachable", message: "The service does not answer.", hint: "Is it still running? crossmedia serve" }, 0);
  }
  if (response.status === 401 && (await asked())) return answered(path, options);
  if (!response.ok) throw await failure(response);
  return response;
}

export function post(path, value, options = {}) {
  return call(path, json("POST", value, options));
}

export function json(method, value, options = {}) {
  return { method, body: JSON.stringify(value), headers: { "Content-Type": "application/json", ...options.headers }, signal: options.signal };
}

export async function failure(response) {
  const told = await response.json().catch(() => null);
  const error = told?.error ?? { code: "http_error", message: `The service answered ${response.status}.`, hint: "" };
  return new Failure(error, response.status);
}

let asking = null;

/** Asks for the key once, whoever waits for it; whether one was taken. */
function asked() {
  asking ??= new Promise((resolve) => {
    const field = el("input", { type: "password", autocomplete: "current-password", required: true, id: "key" });
    const problem = el("p", { class: "small", role: "alert" });
    let taken = false;
    const box = dialog("This service requires a key", (close) => el("form", {
      onsubmit: async (event) => {
        event.preventDefault();
        const response = await fetch("/v1/session", { method: "POST", headers: { "X-API-Key": field.value } });
        if (response.ok) {
          taken = true;
          close();
        } else problem.textContent = "This key is not valid.";
      },
    }, el("label", { class: "field", for: "key" }, "Key", field), problem, el("div", { class: "row" }, el("button", { class: "main" }, "Continue"))));
    box.addEventListener("close", () => { asking = null; resolve(taken); });
  });
  return asking;
}

/** Events of a streamed answer: `heard(event, data)` for each. */
export async function streamed(path, options, heard) {
  const response = await answered(path, { ...options, headers: { ...options.headers, Accept: "text/event-stream" } });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { value, done } = await reader.read();
    held += value ?? "";
    const whole = held.split("\n\n");
    held = whole.pop();
    for (const one of whole) {
      const name = /^event: (.*)$/m.exec(one)?.[1];
      const data = /^data: (.*)$/m.exec(one)?.[1];
      if (name && data) heard(name, JSON.parse(data));
    }
    if (done) return;
  }
}

/** Where a thumbnail is: of a moment, of a second, or of the whole. */
export function thumbnail(asset, moment = null, second = null) {
  const of = moment ? `?moment=${encodeURIComponent(moment)}` : second !== null ? `?at=${second}` : "";
  return `/v1/assets/${asset}/thumbnail${of}`;
}
