/**
 * `<picture-viewer>`: one otoscope still (or photo) with zoom, pan and brightness; its side is locked on it.
 *
 * Attributes: `src`, `side` (left | right | ""), `place` (where on the body, in words, of a photograph without a side), `layer-label`, `quality` (good | fair | poor) and `quality-label`,
 * `watermark`, `keep` (another `src` keeps zoom and brightness, as the pictures of one clip do), `tool` (arrow | circle:
 * a drag, or a tap on both ends, draws).
 * Properties: `words`, `state`, `shapes`. Methods: `zoomBy`, `reset`. Event: `drawn` with the new shape.
 * Keys: + and - zoom, arrows pan, B and Shift+B change brightness, 0 puts everything back.
 *
 * Neither the picture nor its side mark is ever mirrored: R is the patient's right ear in every language.
 */

import { drawn, LEAST, onPicture } from "./picture-viewer-draw.js";
import { ENGLISH, MARKUP, STYLE } from "./picture-viewer-face.js";

export { ENGLISH } from "./picture-viewer-face.js";
/** @typedef {import("./picture-viewer-face.js").Words} Words */
/** @typedef {import("./picture-viewer-draw.js").Shape} Shape */

const MOST_ZOOM = 8;
const STEP = 1.4;
const BRIGHTNESS = { least: 0.4, most: 2.5, step: 0.1 };

export class PictureViewer extends HTMLElement {
  static observedAttributes = ["src", "side", "place", "layer-label", "quality", "quality-label", "watermark", "tool"];

  #words = ENGLISH;
  #zoom = 1;
  #x = 0;
  #y = 0;
  #bright = 1;
  #root = this.attachShadow({ mode: "open" });
  /** @type {Map<number, {x: number, y: number}>} fingers on the picture */ #held = new Map();
  /** @type {{shape: Shape, mine: boolean, by: string}[]} */ #shapes = [];
  /** @type {Shape | null} the one being drawn */ #pending = null;

  constructor() {
    super();
    this.#root.adoptedStyleSheets = [STYLE];
    this.#root.innerHTML = MARKUP;
    Object.assign(this.#bar, { min: BRIGHTNESS.least, max: BRIGHTNESS.most, step: BRIGHTNESS.step, value: 1 });
    this.#one("img").addEventListener("error", () => this.#show(false));
    this.#one("img").addEventListener("load", () => this.#show(true));
    this.#one(".in").addEventListener("click", () => this.zoomBy(STEP));
    this.#one(".out").addEventListener("click", () => this.zoomBy(1 / STEP));
    this.#one(".reset").addEventListener("click", () => this.reset());
    this.#bar.addEventListener("input", () => this.#setBright(Number(this.#bar.value)));
    const stage = this.#one(".stage");
    stage.addEventListener("wheel", (event) => this.#wheeled(event), { passive: false });
    stage.addEventListener("pointerdown", (event) => this.#pressed(event));
    stage.addEventListener("pointermove", (event) => this.#moved(event));
    for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, (event) => this.#let(event));
    stage.addEventListener("keydown", (event) => this.#keyed(event));
    this.#write();
  }

  /** @param {string} name */
  attributeChangedCallback(name) {
    if (name === "tool") this.#draw(null);
    if (name === "src") {
      if (!this.hasAttribute("keep")) this.reset();
      this.#image.src = this.getAttribute("src") ?? "";
    }
    this.#write();
  }

  get words() {
    return this.#words;
  }

  set words(/** @type {Words} */ words) {
    this.#words = words;
    this.#write();
  }

  get shapes() {
    return this.#shapes;
  }

  set shapes(shapes) {
    this.#shapes = shapes;
    this.#draw(this.#pending);
  }

  /** What a reader (or a test) may want to know. */
  get state() {
    return { zoom: this.#zoom, x: this.#x, y: this.#y, brightness: this.#bright, loaded: this.#image.naturalWidth > 0 };
  }

  /** Back to the whole picture at its own brightness. */
  reset() {
    [this.#zoom, this.#x, this.#y] = [1, 0, 0];
    this.#setBright(1);
  }

  /**
   * Zoom around a point of the stage.
   *
   * @param {number} factor
   * @param {{x: number, y: number}} [around] px from the stage's corner; its middle by default
   */
  zoomBy(factor, around) {
    const stage = this.#one(".stage");
    const { x, y } = around ?? { x: stage.clientWidth / 2, y: stage.clientHeight / 2 };
    const zoom = Math.min(MOST_ZOOM, Math.max(1, this.#zoom * factor));
    this.#x = x - ((x - this.#x) * zoom) / this.#zoom;
    this.#y = y - ((y - this.#y) * zoom) / this.#zoom;
    this.#zoom = zoom;
    this.#place();
  }

  get #image() {
    return /** @type {HTMLImageElement} */ (this.#root.querySelector("img"));
  }

  get #bar() {
    return /** @type {HTMLInputElement} */ (this.#root.querySelector(".bright"));
  }

  /** @returns {HTMLElement} */
  #one(/** @type {string} */ selector) {
    return /** @type {HTMLElement} */ (this.#root.querySelector(selector));
  }

  #setBright(/** @type {number} */ value) {
    this.#bright = Math.min(BRIGHTNESS.most, Math.max(BRIGHTNESS.least, value));
    this.#bar.value = String(this.#bright);
    this.#place();
  }

  /** Move and brighten the image, never past its own edge. */
  #place() {
    const stage = this.#one(".stage");
    this.#x = Math.min(0, Math.max(stage.clientWidth * (1 - this.#zoom), this.#x));
    this.#y = Math.min(0, Math.max(stage.clientHeight * (1 - this.#zoom), this.#y));
    this.#image.style.transform = `translate(${this.#x}px, ${this.#y}px) scale(${this.#zoom})`;
    this.#one(".shapes").style.transform = this.#image.style.transform;
    this.#image.style.filter = this.#bright === 1 ? "" : `brightness(${this.#bright})`;
  }

  #show(/** @type {boolean} */ opened) {
    this.#image.hidden = !opened;
    this.#one(".missing").hidden = opened;
    if (!opened || !this.#image.naturalWidth) return;
    this.style.setProperty("--aspect", `${this.#image.naturalWidth} / ${this.#image.naturalHeight}`);
    this.#draw(this.#pending);
    this.dispatchEvent(new Event("loaded"));
  }

  #write() {
    const side = this.getAttribute("side");
    const ear = side === "left" || side === "right";
    const place = ear ? "" : this.getAttribute("place") ?? "";
    const word = ear ? this.#words[side] : place || this.#words.photo;
    this.#one(".side").hidden = !ear && !place;
    this.#one(".side b").hidden = !ear;
    this.#one(".side b").textContent = side === "left" ? "L" : "R";
    this.#one(".side span").textContent = word;
    this.#one(".stage").setAttribute("aria-label", word);
    this.#one(".quality").dataset.grade = this.getAttribute("quality") ?? "";
    this.#one(".stage").classList.toggle("drawing", this.#tool !== null);
    for (const [selector, name] of [[".quality", "quality-label"], [".layer", "layer-label"], [".training", "watermark"]]) {
      this.#one(selector).textContent = this.getAttribute(name);
      this.#one(selector).hidden = !this.getAttribute(name);
    }
    this.#one(".in").setAttribute("aria-label", this.#words.zoom_in);
    this.#one(".out").setAttribute("aria-label", this.#words.zoom_out);
    this.#one(".word").textContent = this.#words.brightness;
    this.#one(".reset").textContent = this.#words.reset;
    this.#one(".missing").textContent = this.#words.missing;
  }

  /** @returns {Shape["kind"] | null} */
  get #tool() {
    const tool = this.getAttribute("tool");
    return tool === "arrow" || tool === "circle" ? tool : null;
  }

  #draw(/** @type {Shape | null} */ pending) {
    this.#pending = pending;
    const { naturalWidth: width, naturalHeight: height } = this.#image;
    const shapes = pending ? [...this.#shapes, { shape: pending, mine: true, by: "" }] : this.#shapes;
    const svg = this.#one(".shapes");
    if (width) svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.replaceChildren(...(width ? drawn(shapes, { width, height }) : []));
  }

  #place01(/** @type {PointerEvent} */ event) {
    const { clientWidth: width, clientHeight: height } = this.#one(".stage");
    const picture = { width: this.#image.naturalWidth, height: this.#image.naturalHeight };
    return onPicture(this.#spot(event), { width, height }, picture, { zoom: this.#zoom, x: this.#x, y: this.#y });
  }

  /** The first press sets one end; leaving the picture there, or a second tap, sets the other. */
  #drawing(/** @type {PointerEvent} */ event) {
    const kind = this.#tool;
    if (!kind || !this.#image.naturalWidth) return;
    const { x, y } = this.#place01(event);
    if (event.type === "pointerdown" && !this.#pending) this.#draw({ kind, x0: x, y0: y, x1: x, y1: y });
    else if (this.#pending) this.#draw({ ...this.#pending, x1: x, y1: y });
    const shape = this.#pending;
    if (event.type !== "pointerup" || !shape || Math.hypot(shape.x1 - shape.x0, shape.y1 - shape.y0) < LEAST) return;
    this.#draw(null);
    this.dispatchEvent(new CustomEvent("drawn", { detail: shape }));
  }

  #wheeled(/** @type {WheelEvent} */ event) {
    if (!event.ctrlKey && this.#zoom === 1 && event.deltaY > 0) return;
    event.preventDefault();
    this.zoomBy(Math.exp(-event.deltaY / 400), this.#spot(event));
  }

  #spot(/** @type {MouseEvent} */ event) {
    const box = this.#one(".stage").getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  #pressed(/** @type {PointerEvent} */ event) {
    if (this.#tool) return this.#drawing(event);
    this.#one(".stage").setPointerCapture(event.pointerId);
    this.#one(".stage").classList.add("held");
    this.#held.set(event.pointerId, this.#spot(event));
  }

  /** One finger pans, two zoom about their middle. */
  #moved(/** @type {PointerEvent} */ event) {
    if (this.#tool) return this.#drawing(event);
    const before = this.#held.get(event.pointerId);
    if (!before) return;
    const now = this.#spot(event);
    const other = [...this.#held].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const apart = (/** @type {{x: number, y: number}} */ spot) => Math.hypot(spot.x - other.x, spot.y - other.y) || 1;
      this.zoomBy(apart(now) / apart(before), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
    } else {
      this.#x += now.x - before.x;
      this.#y += now.y - before.y;
      this.#place();
    }
    this.#held.set(event.pointerId, now);
  }

  #let(/** @type {Event} */ event) {
    if (this.#tool) return this.#drawing(/** @type {PointerEvent} */ (event));
    this.#held.delete(/** @type {PointerEvent} */ (event).pointerId);
    this.#one(".stage").classList.toggle("held", this.#held.size > 0);
  }

  #keyed(/** @type {KeyboardEvent} */ event) {
    const pan = /** @type {Record<string, [number, number]>} */ ({ ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] })[event.key];
    if (pan && this.#zoom > 1) {
      this.#x += pan[0];
      this.#y += pan[1];
      this.#place();
    } else if (event.key === "+" || event.key === "=") this.zoomBy(STEP);
    else if (event.key === "-") this.zoomBy(1 / STEP);
    else if (event.key === "b") this.#setBright(this.#bright + BRIGHTNESS.step);
    else if (event.key === "B") this.#setBright(this.#bright - BRIGHTNESS.step);
    else if (event.key === "0") this.reset();
    else if (event.key === "Escape" && this.#pending) this.#draw(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

customElements.define("picture-viewer", PictureViewer);
