/**
 * `<picture-viewer>`: one otoscope still (or photo) with zoom, pan and brightness; its side is locked on it.
 *
 * Attributes: `src`, `side` (left | right | ""), `layer-label`, `watermark`.
 * Property: `words`, `state`. Methods: `zoomBy`, `reset`.
 * Keys: + and - zoom, arrows pan, B and Shift+B change brightness, 0 puts everything back.
 *
 * Neither the picture nor its side mark is ever mirrored: R is the patient's right ear in every language.
 */

export const ENGLISH = {
  left: "left ear",
  right: "right ear",
  photo: "picture",
  zoom_in: "Zoom in",
  zoom_out: "Zoom out",
  brightness: "Brightness",
  reset: "As it came",
  missing: "This picture could not be opened.",
};
/** @typedef {typeof ENGLISH} Words */

const MOST_ZOOM = 8;
const STEP = 1.4;
const BRIGHTNESS = { least: 0.4, most: 2.5, step: 0.1 };

const STYLE = new CSSStyleSheet();
STYLE.replaceSync(`
  :host { display: block; font: 400 14px/1.4 var(--font, system-ui); }
  [hidden] { display: none !important; }
  .stage { position: relative; direction: ltr; overflow: hidden; border-radius: 14px; background: #0F1720; aspect-ratio: var(--aspect, 4 / 3); width: 100%; max-height: var(--most, 70vh); touch-action: none; cursor: grab; }
  .stage:focus-visible { outline: 3px solid var(--focus, #1D4E89); outline-offset: 3px; }
  .stage.held { cursor: grabbing; }
  img { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; transform-origin: 0 0; user-select: none; -webkit-user-drag: none; }
  .side { position: absolute; inset-block-start: 10px; inset-inline-start: 10px; display: flex; align-items: center; gap: 8px; padding: 4px 12px 4px 6px; border-radius: 999px; background: rgb(15 23 32 / 82%); color: #FFF; font-weight: 600; pointer-events: none; }
  .side b { display: grid; place-items: center; width: 34px; height: 34px; border-radius: 50%; background: #FFF; color: #14213D; font-size: 20px; font-weight: 600; }
  .marks { position: absolute; inset-block-end: 10px; inset-inline-start: 10px; display: flex; gap: 6px; flex-wrap: wrap; pointer-events: none; }
  .layer { background: #FFF1CC; color: #7A4B00; border-radius: 999px; padding: 1px 10px; font-weight: 600; font-size: 12px; }
  .training { background: #FFD400; color: #000; border-radius: 6px; padding: 1px 8px; font-weight: 600; font-size: 12px; }
  .missing { position: absolute; inset: 0; display: grid; place-items: center; color: #E8EEF4; padding: 24px; text-align: center; }
  .controls { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; margin-block-start: 8px; color: var(--soft, #5B6478); }
  button { font: 600 14px/1 var(--font, system-ui); min-height: 40px; min-width: 40px; padding: 4px 12px; border-radius: 999px; cursor: pointer; border: 1px solid var(--line-strong, #8F8A80); background: var(--surface, #FFF); color: var(--ink, #14213D); touch-action: manipulation; }
  button.sign { font-size: 20px; padding: 0; }
  button:focus-visible, input:focus-visible { outline: 3px solid var(--focus, #1D4E89); outline-offset: 2px; }
  label { display: inline-flex; align-items: center; gap: 8px; }
  input { width: 90px; accent-color: var(--primary, #0F6B5C); }
`);

const MARKUP = `
  <div class="stage" tabindex="0" role="img"><img alt="" draggable="false"><div class="missing" role="status" hidden></div>
    <div class="side"><b></b><span></span></div><div class="marks"><span class="layer"></span><span class="training"></span></div></div>
  <div class="controls"><button type="button" class="sign out">−</button><button type="button" class="sign in">+</button>
    <label><span class="word"></span><input type="range" class="bright"></label><button type="button" class="reset"></button></div>`;

export class PictureViewer extends HTMLElement {
  static observedAttributes = ["src", "side", "layer-label", "watermark"];

  #words = ENGLISH;
  #zoom = 1;
  #x = 0;
  #y = 0;
  #bright = 1;
  #root = this.attachShadow({ mode: "open" });
  /** @type {Map<number, {x: number, y: number}>} fingers on the picture */ #held = new Map();

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
    if (name === "src") {
      this.reset();
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
    this.#image.style.filter = this.#bright === 1 ? "" : `brightness(${this.#bright})`;
  }

  #show(/** @type {boolean} */ opened) {
    this.#image.hidden = !opened;
    this.#one(".missing").hidden = opened;
    if (!opened || !this.#image.naturalWidth) return;
    this.style.setProperty("--aspect", `${this.#image.naturalWidth} / ${this.#image.naturalHeight}`);
    this.dispatchEvent(new Event("loaded"));
  }

  #write() {
    const side = this.getAttribute("side");
    const word = side === "left" || side === "right" ? this.#words[side] : this.#words.photo;
    this.#one(".side").hidden = side !== "left" && side !== "right";
    this.#one(".side b").textContent = side === "left" ? "L" : "R";
    this.#one(".side span").textContent = word;
    this.#one(".stage").setAttribute("aria-label", word);
    for (const [selector, name] of [[".layer", "layer-label"], [".training", "watermark"]]) {
      this.#one(selector).textContent = this.getAttribute(name);
      this.#one(selector).hidden = !this.getAttribute(name);
    }
    this.#one(".in").setAttribute("aria-label", this.#words.zoom_in);
    this.#one(".out").setAttribute("aria-label", this.#words.zoom_out);
    this.#one(".word").textContent = this.#words.brightness;
    this.#one(".reset").textContent = this.#words.reset;
    this.#one(".missing").textContent = this.#words.missing;
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
    this.#one(".stage").setPointerCapture(event.pointerId);
    this.#one(".stage").classList.add("held");
    this.#held.set(event.pointerId, this.#spot(event));
  }

  /** One finger pans, two zoom about their middle. */
  #moved(/** @type {PointerEvent} */ event) {
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
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

customElements.define("picture-viewer", PictureViewer);
