// Numbers and times as people read them.
export function clock(seconds) {
  if (seconds === null || seconds === undefined) return "";
  const whole = Math.floor(seconds);
  const rest = String(whole % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60) % 60;
  return whole >= 3600 ? `${Math.floor(whole / 3600)}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

export function span(start, end) {
  if (start === null || start === undefined) return "";
  return end === null || end === undefined || end - start < 0.5 ? clock(start) : `${clock(start)}–${clock(end)}`;
}

export function bytes(count) {
  const names = ["B", "kB", "MB", "GB", "TB"];
  let n = 0;
  while (count >= 1000 && n < names.length - 1) { count /= 1000; n += 1; }
  return `${count >= 10 || n === 0 ? Math.round(count) : count.toFixed(1)} ${names[n]}`;
}

export const percent = (share) => `${Math.round(share * 100)} %`;
export const name = (path) => path.split("/").pop() || path;
export const MEDIA = { image: "Pictures", video: "Videos", audio: "Recordings", text: "Texts" };
export const ONE = { image: "picture", video: "video", audio: "recording", text: "text", mesh: "3D model" };
export const count = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

/** `kind:value` → a condition of the API. */
export function condition(written, negate = false) {
  const [kind, ...rest] = written.split(":");
  return { kind, value: rest.length ? rest.join(":") : null, negate };
}
