// Asks once more before something is lost; what fails is told in the same place.
import { dialog, el } from "./dom.js";

/** `act` is awaited when somebody presses the button that says `doing`. */
export function sure(title, text, doing, act) {
  const told = el("p", { class: "small", role: "alert" });
  dialog(title, (close) => el("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      event.submitter.disabled = true; // it may take a while, and once is enough
      try { await act(); close(); } catch (error) {
        told.textContent = `${error.message} ${error.hint ?? ""}`;
        event.submitter.disabled = false;
      }
    },
  }, el("p", {}, text), told, el("div", { class: "row" },
    el("button", { type: "button", autofocus: true, onclick: close }, "Cancel"), el("button", { class: "danger" }, doing))));
}
