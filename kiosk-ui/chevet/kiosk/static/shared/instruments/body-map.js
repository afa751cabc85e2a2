/**
 * `<body-map>`: a person with the places to touch. Never mirrored: on the front the patient's left is on the right, on the back on the left.
 *
 * Attributes: `mode` ("heart": the points A P E T M; "lung-front" and "lung-back": the points of the lungs; "ecg": electrodes in IEC colours; "ecg-chest": the same, nearer), `active` (the next place,
 * pulses), `done`, `off` and `poor` (space-separated places), `pickable` (places answer to touch and keyboard), `code` ("aha": the
 * electrodes are named and coloured the American way; a place keeps its IEC name).
 * A place that was picked fires `pick` with `detail.site`.
 */

import { torso } from "/shared/instruments/torso.js";
import { torsoBack } from "/shared/instruments/torso-back.js";

/** @typedef {{ site: string, x: number, y: number, colour?: string, ink?: string }} Place */

/** Where one listens to the heart: 2nd space right and left, 3rd left (Erb), lower left border, apex. @type {Place[]} */
const HEART = [
  { site: "A", x: 174, y: 186 },
  { site: "P", x: 226, y: 186 },
  { site: "E", x: 229, y: 217 },
  { site: "T", x: 226, y: 250 },
  { site: "M", x: 268, y: 274 },
];

/**
 * Where one listens to the lungs, r right and l left of the patient: front above (2nd space, mid-clavicular), side (mid-axillary, 5th
 * space). The set is the least one of docs/api.md. @type {Place[]}
 */
const LUNG_FRONT = [
  { site: "Ar", x: 148, y: 190 },
  { site: "Al", x: 252, y: 190 },
  { site: "Lr", x: 101, y: 262 },
  { site: "Ll", x: 299, y: 262 },
];

/** Back above (between spine and shoulder blade) and below (under the blade's tip); seen from behind. @type {Place[]} */
const LUNG_BACK = [
  { site: "Pl", x: 172, y: 204 },
  { site: "Pr", x: 228, y: 204 },
  { site: "Bl", x: 158, y: 294 },
  { site: "Br", x: 242, y: 294 },
];

/** Electrodes with the colours of IEC 60601-2-25: V1, V2 4th space, V4 5th space mid-clavicular, V5, V6 level with it. @type {Place[]} */
const ECG = [
  { site: "V1", x: 177, y: 232, colour: "#d92d2d", ink: "#fff" },
  { site: "V2", x: 221, y: 232, colour: "#f2c418", ink: "#000" },
  { site: "V3", x: 240, y: 254, colour: "#1f8a3d", ink: "#fff" },
  { site: "V4", x: 262, y: 276, colour: "#7a4a1e", ink: "#fff" },
  { site: "V5", x: 287, y: 275, colour: "#151515", ink: "#fff" },
  { site: "V6", x: 311, y: 271, colour: "#6b3fa0", ink: "#fff" },
  { site: "R", x: 32, y: 376, colour: "#d92d2d", ink: "#fff" },
  { site: "L", x: 368, y: 376, colour: "#f2c418", ink: "#000" },
  { site: "N", x: 140, y: 496, colour: "#151515", ink: "#fff" },
  { site: "F", x: 260, y: 496, colour: "#1f8a3d", ink: "#fff" },
];

/** What American cables have where it differs (AAMI EC53): name and colour by the IEC name. @type {Record<string, [string, string, string]>} */
const AHA = {
  R: ["RA", "#ffffff", "#000"], L: ["LA", "#151515", "#fff"], F: ["LL", "#d92d2d", "#fff"], N: ["RL", "#1f8a3d", "#fff"],
  V4: ["V4", "#1f5fbf", "#fff"], V5: ["V5", "#e8741a", "#000"],
};

const MODES = /** @type {Record<string, { places: Place[], view: string, radius: number, back?: boolean }>} */ ({
  "lung-front": { places: LUNG_FRONT, view: "62 88 276 270", radius: 16 },
  "lung-back": { places: LUNG_BACK, view: "62 88 276 270", radius: 16, back: true },
  heart: { places: HEART, view: "62 88 276 270", radius: 14 },
  ecg: { places: ECG, view: "6 0 388 522", radius: 12 },
  "ecg-chest": { places: ECG, view: "92 120 250 250", radius: 12 },
});

let figures = 0;

export class BodyMap extends HTMLElement {
  static observedAttributes = ["mode", "active", "done", "off", "poor", "pickable", "label", "code"];

  constructor() {
    super();
    figures += 1;
    this.figure = `body-${figures}`;
    this.drawn = "";
    this.addEventListener("click", (event) => this.pick(event.target));
    this.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") this.pick(event.target);
    });
  }

  connectedCallback() {
    this.setAttribute("dir", "ltr");
    this.show();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.show();
  }

  get mode() {
    return MODES[this.getAttribute("mode") ?? "heart"] ?? MODES.heart;
  }

  /** @param {string} name @returns {Set<string>} */
  set(name) {
    return new Set((this.getAttribute(name) ?? "").split(/\s+/).filter(Boolean));
  }

  /** @param {EventTarget | null} target */
  pick(target) {
    const place = target instanceof Element ? target.closest("[data-site]") : null;
    if (!place || !this.hasAttribute("pickable")) return;
    this.dispatchEvent(new CustomEvent("pick", { detail: { site: place.getAttribute("data-site") }, bubbles: true }));
  }

  show() {
    const mode = this.mode;
    if (!mode) return;
    const drawn = `${mode.view} ${mode.back}`;
    if (this.drawn !== drawn) {
      this.drawn = drawn;
      this.innerHTML = `<svg viewBox="${mode.view}" role="group">${mode.back ? torsoBack(this.figure) : torso(this.figure)}<g class="body-places"></g></svg>`;
    }
    this.querySelector("svg")?.setAttribute("aria-label", this.getAttribute("label") ?? "");
    const group = this.querySelector(".body-places");
    if (group) group.innerHTML = this.order(mode.places).map((place) => this.place(place, mode.radius)).join("");
  }

  /** The active place is drawn last, above its neighbours. @param {Place[]} places */
  order(places) {
    const active = this.getAttribute("active");
    return [...places].sort((a, b) => Number(a.site === active) - Number(b.site === active));
  }

  /** @param {Place} place @param {number} r */
  place({ site, x, y, colour, ink }, r) {
    let name = site;
    const state = ["off", "poor", "done"].find((name) => this.set(name).has(site)) ?? "idle";
    const active = this.getAttribute("active") === site;
    if (this.getAttribute("code") === "aha" && colour && AHA[site]) [name, colour, ink] = /** @type {[string, string, string]} */ (AHA[site]);
    const keys = this.hasAttribute("pickable") ? 'tabindex="0" role="button"' : 'role="img"';
    const paint = colour ? `fill="${colour}"` : "";
    const letters = ink ? `fill="${ink}"` : "";
    return `<g class="place place-${state}${active ? " place-active" : ""}" data-site="${site}" ${keys} aria-label="${name}" transform="translate(${x} ${y})">
      <circle class="place-touch" r="${r * 1.5}"/>${active || state === "off" ? `<circle class="place-pulse" r="${r + 5}"/>` : ""}
      <circle class="place-dot${colour ? " place-electrode" : ""}" r="${r}" ${paint}/>
      <text class="place-name" dy="0.35em" font-size="${r}" ${letters}>${name}</text>
      ${state === "done" && !colour ? `<g class="place-tick" transform="translate(${r * 0.75} ${-r * 0.75})"><circle r="${r * 0.5}"/><path d="M-3 0 L-1 2.4 L3.4 -2.4"/></g>` : ""}
    </g>`;
  }
}

customElements.define("body-map", BodyMap);
