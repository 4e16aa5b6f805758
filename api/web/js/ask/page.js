// Ask: a question, typed or spoken, about everything, what is filtered, one asset or a picture; an answer with what it rests on.
import { answered, failure, streamed } from "../core/api.js";
import { announce, el, fill } from "../core/dom.js";
import { name, percent, span } from "../core/format.js";
import { sign } from "../core/icons.js";
import { problem } from "../core/problem.js";
import { address, change, read } from "../core/state.js";
import { condition } from "../core/format.js";
import { picture } from "../results/picture.js";
import { opens, remember } from "../results/seen.js";
import { reason } from "../results/why.js";
import { microphone } from "../search/recorder.js";

export function open(root, state) {
  let running = null;
  let image = null;
  const field = el("input", { type: "search", id: "question", "aria-label": "Your question", placeholder: "How many dogs are there? What was said about …?", autocomplete: "off" });
  const scope = el("div", { class: "chips" });
  const told = el("p", { role: "alert", class: "small" });
  const place = el("section", { "aria-label": "Answer", "aria-live": "polite" });
  const chooser = el("input", { type: "file", accept: "image/*", class: "unseen", tabindex: -1, "aria-label": "A picture to ask about" });
  chooser.addEventListener("change", () => { image = chooser.files[0] ?? null; chooser.value = ""; draw(read()); });
  const form = el("form", { class: "query", onsubmit: (event) => { event.preventDefault(); change({ q: field.value.trim() }); ask(read()); } },
    el("div", { class: "bar" }, field,
      el("button", { type: "button", onclick: () => chooser.click() }, "+ Picture"),
      microphone(el, "Ask by voice", (file) => ask(read(), file), (reasonTold) => { told.textContent = reasonTold; }),
      el("button", { class: "main" }, "Ask")), chooser, scope, told);
  fill(root, el("div", { class: "narrow" }, el("h1", {}, "Ask"), form, el("p", {}), place));
  if (matchMedia("(pointer: fine)").matches) field.focus({ preventScroll: true });

  function draw(now) {
    field.value = now.q ?? "";
    const chip = (label, remove) => el("span", { class: "chip" }, label, el("button", { type: "button", "aria-label": `Remove ${label}`, onclick: remove }, "✕"));
    fill(scope, now.about ? chip("about one file", () => change({ about: null })) : null, image ? chip(`about ${image.name}`, () => { image = null; draw(read()); }) : null,
      now.label.map((one) => chip(one, () => change({ label: read().label.filter((x) => x !== one) }))), now.media ? chip(now.media, () => change({ media: null })) : null);
  }

  async function ask(now, voice = null) {
    draw(now);
    if (!now.q && !voice) return begin();
    running?.abort();
    running = new AbortController();
    const { signal } = running;
    const query = JSON.stringify({ question: voice ? "" : now.q, asset: image ? null : now.about ?? null, media: now.media ? [now.media] : [], filters: filters(now) });
    const options = { method: "POST", signal };
    if (voice || image) {
      options.body = new FormData();
      options.body.append("query", query);
      if (image) options.body.append("image", image, image.name);
      if (voice) options.body.append("voice", voice, voice.name);
    } else { options.body = query; options.headers = { "Content-Type": "application/json" }; }
    const text = el("p", { class: "answer" }, "…");
    fill(place, el("div", { class: "card panel" }, text));
    try {
      let so = "";
      await streamed("/v1/ask", options, (event, data) => {
        if (signal.aborted) return;
        if (event === "delta") { so += data.text; text.textContent = so; }
        if (event === "answer") shown(data);
        if (event === "error") fill(place, problem(data.error, () => ask(read(), voice)));
      });
    } catch (error) {
      if (error.name !== "AbortError") fill(place, problem(error, () => ask(read(), voice)));
    }
    return undefined;
  }

  function shown(answer) {
    const { citations } = answer;
    citations.forEach(remember);
    const jump = (hit) => address(opens(hit));
    const parts = answer.answer.split(/(\[\d+\])/).map((part) => {
      const hit = citations.find((one) => `[${one.number}]` === part);
      return hit ? el("a", { class: "button", href: jump(hit), "aria-label": `Evidence ${hit.number}: ${name(hit.path)}` }, part) : part;
    });
    fill(place, el("div", { class: "card panel" },
      answer.question && answer.question !== read().q ? el("p", { class: "soft" }, "Understood: ", el("q", {}, answer.question)) : null,
      el("p", { class: answer.answered ? "answer" : "answer soft" }, parts),
      el("p", { class: "soft small" }, answer.answered ? `${percent(answer.confidence)} sure · ${answer.kind} · ${answer.model}` : "There is too little evidence for an answer."),
      answer.notes.map((note) => el("p", { class: "note small" }, note)),
      el("div", { class: "row" }, el("button", { type: "button", onclick: (event) => aloud(answer.answer, event.currentTarget) }, sign("speaker"), "Read aloud"))),
    citations.length ? el("h2", {}, answer.answered ? "Evidence" : "Nearest matches") : null,
    el("ul", { class: "cited" }, citations.map((hit) => el("li", { class: "card" }, el("a", { href: jump(hit) }, picture(hit),
      el("span", {}, el("strong", {}, `[${hit.number}] ${name(hit.path || hit.title)}`), el("br", {}),
        el("span", { class: "soft small" }, [hit.page !== null ? `page ${hit.page}` : span(hit.start, hit.end), hit.evidence[0] ? reason(hit.evidence[0]) : ""].filter(Boolean).join(" · ")),
        hit.evidence[0]?.text ? el("span", { class: "small" }, el("br", {}), `“${hit.evidence[0].text.slice(0, 240)}”`) : null))))));
    announce(answer.answer);
  }

  function begin() {
    fill(place, el("div", { class: "empty" }, el("h2", {}, "Ask in a sentence"),
      el("p", { class: "soft" }, "Answers cite their evidence: the second, the box or the sentence. Without evidence there is no answer."),
      el("p", {}, ["How many photos are there?", "Are there any dogs?", "What was said about the harbour?"].map((q) => [el("a", { class: "button", href: address({ view: "ask", q }) }, q), " "]))));
  }

  async function aloud(text, button) {
    try {
      const response = await answered("/v1/speak", { method: "POST", body: JSON.stringify({ text }), headers: { "Content-Type": "application/json" } });
      if (!response.ok) throw await failure(response);
      const url = URL.createObjectURL(await response.blob());
      const player = new Audio(url);
      player.addEventListener("ended", () => URL.revokeObjectURL(url));
      await player.play();
    } catch (error) {
      button.replaceWith(el("span", { class: "soft small" }, `${error.message} ${error.hint ?? ""}`));
    }
  }

  ask(state);
  return { update(now) { if ((now.q ?? "") !== field.value.trim() || !place.children.length) ask(now); else draw(now); }, close() { running?.abort(); } };
}

function filters(now) {
  const told = { labels: [...now.label.map((one) => condition(one)), ...now.nolabel.map((one) => condition(one, true))] };
  for (const key of ["after", "before", "path", "collection"]) if (now[key]) told[key] = now[key];
  return told;
}
