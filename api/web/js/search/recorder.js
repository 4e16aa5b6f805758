// The microphone: what is heard becomes a WAV of one channel at 16 kHz, which every service here can read.
const RATE = 16000;

/** Begins to record; the result's `stop()` gives the file. Raises where no microphone may be used. */
export async function record() {
  if (!navigator.mediaDevices?.getUserMedia) throw new Error("This browser gives pages no microphone here; it needs https or localhost.");
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

/** A button that records while it is pressed in; `taken(file)` gets what was heard. */
export function microphone(el, label, taken, failed) {
  let running = null;
  const button = el("button", { type: "button", "aria-label": label, title: label, "aria-pressed": "false" }, "🎤");
  button.addEventListener("click", async () => {
    try {
      if (running) {
        const recorder = running;
        running = null;
        button.setAttribute("aria-pressed", "false");
        button.textContent = "🎤";
        taken(await recorder.stop());
      } else {
        running = await record();
        button.setAttribute("aria-pressed", "true");
        button.textContent = "⏹ Stop";
      }
    } catch (error) {
      running = null;
      failed(error.name === "NotAllowedError" ? "The microphone was not allowed." : error.message);
    }
  });
  return button;
}
