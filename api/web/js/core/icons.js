// The signs of the page, drawn by a few strokes in a square of 24: what a font has as pictures looks different everywhere.
const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  mic: ["M12 14a3 3 0 0 0 3-3V6a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3Z", "M5.5 11a6.5 6.5 0 0 0 13 0", "M12 17.5V21"],
  stop: ["M7 7h10v10H7z"],
  moon: ["M20 14.5A8.5 8.5 0 1 1 9.5 4a6.8 6.8 0 0 0 10.5 10.500Z"],
  sun: ["M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8Z", "M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.400M17.6 17.6 19 19M5 19l1.4-1.400M17.6 6.4 19 5"],
  keys: ["M3 6.500h18v11H3z", "M7 10h.01M10.3 10h.01M13.7 10h.01M17 10h.01M7 14h.01M17 14h.01M10 14h4"],
  speaker: ["M4 9.500v5h3.500L12 18.500v-13L7.5 9.500z", "M15.5 9a4 4 0 0 1 0 6", "M18 6.500a7.5 7.5 0 0 1 0 11"],
};

export function sign(name, size = 20) {
  const svg = document.createElementNS(SVG, "svg");
  const properties = { viewBox: "0 0 24 24", width: size, height: size, fill: "none", stroke: "currentColor", "stroke-width": 1.8, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" };
  for (const [key, value] of Object.entries(properties)) svg.setAttribute(key, value);
  for (const d of PATHS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}
