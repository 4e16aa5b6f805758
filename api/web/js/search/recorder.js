// The microphone: what is heard becomes a WAV of one channel at 16 kHz, which every service here can read.
import { clock } from "../core/format.js";
import { sign } from "../core/icons.js";

const RATE = 16000;
const MOST = 60; // s, which is what of an example is used

/** Begins to record; the result's `stop()` gives the file. Raises where no microphone may be used. */
export async function record() {
  if (!navigator.mediaDevices?.getUserMedia) throw new Error("The browser allows the microphone only over https or on localhost.");
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const recorder = new MediaRecorder(stream);
  const parts = [];
  recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
  const ended = new Promise((resolve) => recorder.addEventListener("stop", resolve, { once: true }));
  recorder.start();
  return {
    async stop() {
      recorder.stop();
      await ended;
      for (const track of stream.getTracks()) track.stop();
      return wav(await new Blob(parts).arrayBuffer());
    },
  };
}

async function wav(encoded) {
  const context = new AudioContext();
  const decoded = await context.decodeAudioData(encoded);
  await context.close();
  const offline = new OfflineAudioContext(1, Math.max(1, Math.ceil(decoded.duration * RATE)), RATE);
  const source = offline.createBufferSource();
  source.buffer = decoded;
  source.connect(offline.destination);
  source.start();
  const samples = (await offline.startRendering()).getChannelData(0);
  return new File([header(samples.length), pcm(samples)], "microphone.wav", { type: "audio/wav" });
}

function pcm(samples) {
  const whole = new Int16Array(samples.length);
  samples.forEach((value, n) => { whole[n] = Math.max(-1, Math.min(1, value)) * 32767; });
  return whole;
}

function header(count) {
  const view = new DataView(new ArrayBuffer(44));
  const text = (at, word) => [...word].forEach((letter, n) => view.setUint8(at + n, letter.charCodeAt(0)));
  text(0, "RIFF"); view.setUint32(4, 36 + 2 * count, true); text(8, "WAVEfmt ");
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true); view.setUint32(28, 2 * RATE, true); view.setUint16(32, 2, true); view.setUint16(34, 16, true);
  text(36, "data"); view.setUint32(40, 2 * count, true);
  return view.buffer;
}

/** A button that records while it is pressed in, a minute at most; `taken(file)` gets what was heard. Nobody is listened to any longer once it is gone. */
export function microphone(el, label, taken, failed) {
  let running = null;
  let ticking = null;
  const button = el("button", { type: "button", "aria-label": label, title: label, "aria-pressed": "false" }, sign("mic"));

  function quiet() {
    const recorder = running;
    running = null;
    clearInterval(ticking);
    button.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-label", label);
    button.replaceChildren(sign("mic"));
    return recorder;
  }

  function tick(began) {
    const seconds = (performance.now() - began) / 1000;
    if (!button.isConnected) quiet()?.stop().catch(() => {});
    else if (seconds >= MOST) button.click();
    else button.replaceChildren(sign("stop"), clock(seconds));
  }

  button.addEventListener("click", async () => {
    try {
      if (running) {
        taken(await quiet().stop());
      } else {
        running = await record();
        button.setAttribute("aria-pressed", "true");
        button.setAttribute("aria-label", "Stop recording");
        const began = performance.now();
        tick(began);
        ticking = setInterval(tick, 250, began);
      }
    } catch (error) {
      quiet()?.stop().catch(() => {});
      failed(error.name === "NotAllowedError" ? "Access to the microphone was denied." : error.name === "NotFoundError" ? "No microphone was found." : error.message);
    }
  });
  return button;
}
