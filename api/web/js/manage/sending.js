// One file on its way to the service.
import { Failure, failure } from "../core/api.js";

const AGAIN = 1000;

/** → the id of the job that reads it. Raises Failure; where the queue is full, waits until it is not. */
export async function send(one) {
  for (;;) {
    const response = await sent(one);
    if (response.status === 202) return (await response.json()).id;
    if (response.status !== 429) throw await failure(response);
    one.at(0, "waiting for room in the queue");
    await new Promise((resolve) => { setTimeout(resolve, AGAIN); });
  }
}

/** `fetch` does not tell how much was sent. */
function sent({ file, path, at }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    form.append("file", file, file.name);
    form.append("path", path);
    request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) at(event.loaded / event.total, "sending"); });
    request.addEventListener("error", () => reject(new Failure({ code: "unreachable", message: "The service does not answer.", hint: "" }, 0)));
    request.addEventListener("load", () => resolve(new Response(request.response, { status: request.status })));
    request.responseType = "blob";
    request.open("POST", "/v1/assets");
    request.send(form);
  });
}
