// A dialog that does something once it is confirmed; what fails is told in the same place.
import { dialog, el } from "./dom.js";

/** `act` is awaited when somebody presses the button that says `doing`; where something is lost, "Cancel" comes first. */
export function asked(title, content, doing, act, danger = false) {
  const told = el("p", { class: "small", role: "alert" });
  dialog(title, (close) => {
    const cancel = el("button", { type: "button", autofocus: danger, onclick: close }, "Cancel");
    const go = el("button", { class: danger ? "danger" : "main" }, doing);
    return el("form", {
      onsubmit: async (event) => {
        event.preventDefault();
        go.disabled = true; // it may take a while, and once is enough
        try { await act(); close(); } catch (error) {
          told.textContent = `${error.message} ${error.hint ?? ""}`;
          go.disabled = false;
        }
      },
    }, content, told, el("div", { class: "row" }, danger ? [cancel, go] : [go, cancel]));
  });
}

export const sure = (title, text, doing, act) => asked(title, el("p", {}, text), doing, act, true);
