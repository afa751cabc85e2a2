/**
 * `<skin-map>`: a whole person, front or back, to show and to choose where the skin is photographed. Never mirrored by the language:
 * on the front the patient's left is on the right, on the back on the left.
 *
 * Attributes: `view` ("front" or "back"), `active` (this place pulses), `done` and `poor` (space-separated places), `label`, `pickable`.
 * A touch anywhere fires `pick` with `detail.site` of the nearest place; by keyboard and screen reader the words beside it choose.
 */

import { legs } from "/shared/instruments/legs.js";
import { outline, torso } from "/shared/instruments/torso.js";
import { torsoBack } from "/shared/instruments/torso-back.js";

/** @typedef {[string, number, number]} Spot */

/** A limb on both sides; `left` is where the patient's left one is seen. @param {string} limb @param {number} left @param {number} y @returns {Spot[]} */
const both = (limb, left, y) => [[`${limb}_r`, 400 - left, y], [`${limb}_l`, left, y]];
/** Arms and legs, as seen from the front (1) or from behind (-1). @param {number} side @returns {Spot[]} */
const limbs = (side) => [["arm", 142, 232], ["forearm", 163, 330], ["hand", 172, 428], ["thigh", 62, 560], ["leg", 68, 740], ["foot", 72, 868]]
  .flatMap(([limb, out, y]) => both(String(limb), 200 + side * Number(out), Number(y)));

/** @type {Record<string, Spot[]>} */
export const SPOTS = {
  front: [["head", 200, 20], ["face", 200, 62], ["mouth", 200, 98], ["neck", 200, 136], ["chest", 200, 215], ["abdomen", 200, 322], ["groin", 200, 404], ...limbs(1)],
  back: [["head", 200, 46], ["neck", 200, 122], ["upper_back", 200, 214], ["lower_back", 200, 330], ["buttocks", 200, 428], ...limbs(-1)],
};

/** The sides on which a place is drawn; a limb has no side of its own, and both are shown rather than one guessed. @param {string} site */
export function viewsOf(site) {
  return Object.keys(SPOTS).filter((view) => SPOTS[view]?.some(([known]) => known === site));
}

const R = 15;
let figures = 0;

export class SkinMap extends HTMLElement {
  static observedAttributes = ["view", "active", "done", "poor", "pickable", "label"];

  constructor() {
    super();
    figures += 1;
    this.figure = `skin-${figures}`;
    this.drawn = "";
    this.addEventListener("click", (event) => this.pick(event));
  }

  connectedCallback() {
    this.setAttribute("dir", "ltr");
    this.show();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.show();
  }

  get spots() {
    return SPOTS[this.getAttribute("view") ?? "front"] ?? [];
  }

  /** @param {MouseEvent} event */
  pick(event) {
    const svg = this.querySelector("svg"), place = svg?.getScreenCTM();
    if (!place || !this.hasAttribute("pickable")) return;
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(place.inverse());
    const away = (/** @type {Spot} */ [, x, y]) => Math.hypot(at.x - x, at.y - y);
    const nearest = this.spots.reduce((best, one) => (away(one) < away(best) ? one : best));
    this.dispatchEvent(new CustomEvent("pick", { detail: { site: nearest[0] }, bubbles: true }));
  }

  show() {
    const view = this.getAttribute("view") ?? "front";
    if (this.drawn !== view) {
      this.drawn = view;
      const body = view === "back" ? torsoBack(this.figure) : torso(this.figure);
      this.innerHTML = `<svg viewBox="0 -4 400 900" role="img">${legs(outline(this.figure).mirror)}${body}<g class="body-places"></g></svg>`;
    }
    this.querySelector("svg")?.setAttribute("aria-label", this.getAttribute("label") ?? "");
    const group = this.querySelector(".body-places");
    if (group) group.innerHTML = this.spots.map((spot) => this.spot(spot)).join("");
  }

  /** @param {string} name @param {string} site */
  holds(name, site) {
    return (this.getAttribute(name) ?? "").split(/\s+/).includes(site);
  }

  /** @param {Spot} spot */
  spot([site, x, y]) {
    const state = ["poor", "done"].find((name) => this.holds(name, site)) ?? "idle";
    const active = this.holds("active", site);
    if (!active && state === "idle" && !this.hasAttribute("pickable")) return "";
    return `<g class="place place-${state}${active ? " place-active" : ""}" data-site="${site}" transform="translate(${x} ${y})">
      ${active ? `<circle class="place-pulse" r="${R + 12}"/>` : ""}<circle class="place-dot" r="${active ? R + 5 : R}"/>
      ${state === "done" ? '<path class="skin-tick" d="M-7 0 L-2 6 L8 -6"/>' : ""}</g>`;
  }
}

customElements.define("skin-map", SkinMap);
