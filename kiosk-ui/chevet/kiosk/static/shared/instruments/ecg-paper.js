/**
 * `<ecg-paper>`: an ECG on true millimetre paper, with calipers.
 *
 * Attributes: `speed` (25 | 50 mm/s), `gain` (5 | 10 | 20 mm/mV), `layout` (3x4 | 6x2 | 12x1),
 * `filter` (diagnostic | monitor | raw), `zoom` (fit | true), `start` (first second of the page),
 * `order` (standard | cabrera), `lead` (draw this one alone), `march` (lines at the calipers' distance),
 * `watermark` (word across simulated data).
 * Properties: `wave` (from `readWave`), `marks` (draft, or null), `words` (its texts in the reader's language),
 * `caliper`, `scale`. Events: `caliper` with the measured values, or null when it was put away; `lead` with the
 * name that was pressed.
 *
 * The paper never mirrors: time runs from left to right in every language.
 */

import { caption, grip, measured, stepped } from "./ecg-paper-caliper.js";
import { drawCaliper, drawFoot, drawGrid, drawPanel, drawPulses, drawWatermark } from "./ecg-paper-draw.js";
import { ENGLISH, STYLE } from "./ecg-paper-face.js";
import { namedAt, pageFor } from "./ecg-paper-layout.js";
import { drawMarks } from "./ecg-paper-marks.js";
import { CSS_PX_PER_MM, measuredScale } from "./ecg-paper-scale.js";
import { bandAt, centredLead, filterLead } from "./ecg-paper-wave.js";

/** @typedef {import("./ecg-paper-wave.js").Wave} Wave */
/** @typedef {import("./ecg-paper-layout.js").Page} Page */
/** @typedef {import("./ecg-paper-caliper.js").Span} Span */

export { ENGLISH } from "./ecg-paper-face.js";
/** @typedef {import("./ecg-paper-face.js").Words} Words */

/** Below this a millimetre square is no longer readable: the paper scrolls instead. */
const LEAST_PX_PER_MM = 2.4;
const REACH_PX = 9;

export class EcgPaper extends HTMLElement {
  static observedAttributes = ["speed", "gain", "layout", "filter", "zoom", "start", "march", "watermark", "order", "lead"];

  /** @type {Wave | null} */ #wave = null;
  /** @type {Wave | null} */ #shown = null;
  /** @type {import("./ecg-paper-marks.js").Marks | null} */ #marks = null;
  #centred = false;
  /** @type {Words} */ #words = ENGLISH;
  /** @type {Span | null} */ #span = null;
  /** @type {"start" | "end"} */ #corner = "end";
  /** @type {Page | null} */ #page = null;
  #scale = CSS_PX_PER_MM;
  #width = -1;
  #sheet = document.createElement("div");
  #paper = document.createElement("canvas");
  #over = document.createElement("canvas");
  #reason = document.createElement("div");
  #said = document.createElement("div");
  #watcher = new ResizeObserver(() => this.#resized());
  #rescaled = () => this.#draw();

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [STYLE];
    this.#sheet.className = "sheet";
    this.#over.className = "over";
    this.#reason.className = "reason";
    this.#said.className = "said";
    this.#said.setAttribute("role", "status");
    this.#sheet.tabIndex = 0;
    this.#sheet.setAttribute("role", "application");
    this.#reason.hidden = true;
    this.#sheet.append(this.#paper, this.#over);
    root.append(this.#sheet, this.#reason, this.#said);
    this.#over.addEventListener("pointermove", (event) => this.#hovered(event));
    this.#over.addEventListener("pointerdown", (event) => this.#pressed(event));
    this.#sheet.addEventListener("keydown", (event) => this.#keyed(event));
  }

  connectedCallback() {
    this.#watcher.observe(this);
    window.addEventListener("chevet-scale", this.#rescaled);
    this.#draw();
  }

  disconnectedCallback() {
    this.#watcher.disconnect();
    window.removeEventListener("chevet-scale", this.#rescaled);
  }

  /** @param {string} name */
  attributeChangedCallback(name) {
    if (name === "filter") this.#shown = null;
    this.#draw();
  }

  get wave() {
    return this.#wave;
  }

  set wave(wave) {
    if (wave === this.#wave) return;
    this.#wave = wave;
    this.#shown = null;
    if (!this.measurable) this.#put(null);
    this.#draw();
  }

  get marks() {
    return this.#marks;
  }

  set marks(marks) {
    if (marks === this.#marks) return;
    this.#marks = marks;
    this.#draw();
  }

  get words() {
    return this.#words;
  }

  set words(words) {
    this.#words = words;
    this.#draw();
  }

  /** Whether the samples shown may be measured. */
  get measurable() {
    return this.#wave !== null && this.#wave.layer !== "preview";
  }

  /** What the calipers read, or null when there are none. Stands in millimetres of paper, so no resize moves it. */
  get caliper() {
    return this.#span ? { ...this.#span, ...measured(this.#span, this.speed_mm_s, this.gain_mm_mv) } : null;
  }

  get speed_mm_s() {
    return Number(this.getAttribute("speed") ?? 25);
  }

  get gain_mm_mv() {
    return Number(this.getAttribute("gain") ?? 10);
  }

  /** How the paper stands on the glass: `true_scale` only at 1:1 on a screen whose size was measured. */
  get scale() {
    const real = measuredScale();
    return { px_per_mm: this.#scale, true_scale: real !== null && Math.abs(this.#scale - real) < 1e-6, page: this.#page };
  }

  /** Put the calipers away. */
  clear() {
    this.#put(null);
  }

  #resized() {
    if (this.clientWidth === this.#width) return;
    this.#draw();
  }

  #chooseScale(/** @type {Page} */ page) {
    const real = measuredScale() ?? CSS_PX_PER_MM;
    if (this.getAttribute("zoom") === "true") return real;
    const fitting = this.clientWidth / page.width_mm;
    return Math.min(real, Math.max(LEAST_PX_PER_MM, fitting));
  }

  #draw() {
    if (!this.isConnected || !this.#wave || this.clientWidth === 0) return;
    this.#width = this.clientWidth;
    const wave = this.#filtered(this.#wave);
    const layout = /** @type {import("./ecg-paper-layout.js").LayoutName} */ (this.getAttribute("layout") ?? "3x4");
    const names = wave.leads.map((lead) => lead.name);
    const page = pageFor(layout, names, this.speed_mm_s, this.gain_mm_mv, Number(this.getAttribute("start") ?? 0), {
      order: this.getAttribute("order") === "cabrera" ? "cabrera" : "standard",
      alone: this.getAttribute("lead") ?? "",
    });
    this.#page = page;
    this.#scale = this.#chooseScale(page);
    const ctx = this.#sized(this.#paper, page);
    const how = { scale: this.#scale, speed_mm_s: this.speed_mm_s, gain_mm_mv: this.gain_mm_mv, row_mm: page.row_mm };
    drawGrid(ctx, page, this.#scale, devicePixelRatio);
    const watermark = this.getAttribute("watermark");
    if (watermark) drawWatermark(ctx, page, this.#scale, watermark);
    if (this.#marks && this.measurable) drawMarks(ctx, page, this.#marks, how);
    drawPulses(ctx, page, this.#scale);
    for (const panel of page.panels) drawPanel(ctx, panel, wave, { ...how, gapWord: this.#words.gap });
    drawFoot(ctx, page, this.#scale, this.#facts(wave), this.#warnings());
    this.#describe(wave);
    this.#drawOver();
  }

  #filtered(/** @type {Wave} */ wave) {
    if (this.#shown) return this.#shown;
    const raw = this.#filter() === "raw";
    const leads = wave.leads.map((lead) => ({
      name: lead.name,
      values: raw ? centredLead(lead.values, wave.gaps) : filterLead(lead.values, wave.rate_hz, wave.gaps, this.#filter()),
    }));
    this.#shown = { ...wave, leads };
    this.#centred = raw && leads.some((lead, i) => lead.values !== wave.leads[i].values);
    return this.#shown;
  }

  #filter() {
    return /** @type {import("./ecg-paper-wave.js").FilterName} */ (this.getAttribute("filter") ?? "diagnostic");
  }

  /** What is printed on the page about filter, e.g. "0.05-150 Hz"; the 40 Hz band is always called a view. */
  #filterText(/** @type {Wave} */ wave) {
    const { low_hz, high_hz } = bandAt(this.#filter(), wave.rate_hz);
    if (low_hz === null) return this.#centred ? `${this.#words.raw}, ${this.#words.centred}` : this.#words.raw;
    const band = `${low_hz}–${high_hz ?? (wave.rate_hz / 2).toString()} Hz`;
    return this.#filter() === "monitor" ? `${band} ${this.#words.view}` : band;
  }

  #facts(/** @type {Wave} */ wave) {
    const facts = [`${this.speed_mm_s} mm/s`, `${this.gain_mm_mv} mm/mV`, this.#filterText(wave), `${wave.rate_hz} Hz`];
    if (this.scale.true_scale) facts.push(this.#words.to_scale);
    if (this.#marks && this.measurable) facts.push(this.#words.marks);
    return facts;
  }

  #warnings() {
    const warnings = [];
    if (!this.measurable) warnings.push(this.#words.preview);
    if (!this.scale.true_scale) warnings.push(this.#words.not_to_scale);
    return warnings;
  }

  #describe(/** @type {Wave} */ wave) {
    const text = [...this.#warnings(), ...this.#facts(wave)].join(", ");
    this.#sheet.setAttribute("aria-label", `${this.#words.label}: ${text}`);
    this.dataset.facts = text;
  }

  #sized(/** @type {HTMLCanvasElement} */ canvas, /** @type {Page} */ page) {
    const [width, height] = [page.width_mm * this.#scale, page.height_mm * this.#scale];
    this.#sheet.style.width = `${width}px`;
    this.#sheet.style.height = `${height}px`;
    canvas.width = Math.round(width * devicePixelRatio);
    canvas.height = Math.round(height * devicePixelRatio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    ctx.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    ctx.direction = "ltr";
    return ctx;
  }

  #drawOver() {
    if (!this.#page) return;
    this.#over.style.touchAction = this.hasAttribute("measuring") && this.measurable ? "none" : "auto";
    const ctx = this.#sized(this.#over, this.#page);
    const now = this.caliper;
    if (!this.#span || !now) return;
    drawCaliper(ctx, this.#page, this.#scale, this.#span, caption(now), this.hasAttribute("march"));
  }

  #put(/** @type {Span | null} */ span) {
    this.#span = span;
    this.#drawOver();
    const now = this.caliper;
    this.#said.textContent = now ? caption(now) : "";
    this.dispatchEvent(new CustomEvent("caliper", { detail: now }));
  }

  #refused() {
    this.#reason.textContent = this.#words.calipers_off;
    this.#reason.hidden = false;
    setTimeout(() => (this.#reason.hidden = true), 6000);
  }

  #at(/** @type {PointerEvent} */ event) {
    const box = this.#over.getBoundingClientRect();
    return { x: (event.clientX - box.left) / this.#scale, y: (event.clientY - box.top) / this.#scale };
  }

  #hovered(/** @type {PointerEvent} */ event) {
    if (this.#page && event.pointerType === "mouse") this.#over.classList.toggle("on-name", namedAt(this.#page, this.#at(event)) !== undefined);
  }

  #pressed(/** @type {PointerEvent} */ event) {
    const named = this.#page && event.button === 0 ? namedAt(this.#page, this.#at(event)) : undefined;
    if (named) {
      this.dispatchEvent(new CustomEvent("lead", { detail: named.lead }));
      return;
    }
    if (event.button !== 0 || (event.pointerType === "touch" && !this.hasAttribute("measuring"))) return;
    if (!this.measurable) return this.#refused();
    const { x, y } = this.#at(event);
    const held = grip(this.#span, x, REACH_PX / this.#scale);
    this.#corner = held === "start" ? "start" : "end";
    if (held === "new") this.#put({ x0_mm: x, y0_mm: y, x1_mm: x, y1_mm: y });
    this.#over.setPointerCapture(event.pointerId);
    const move = (/** @type {PointerEvent} */ next) => this.#dragged(next);
    this.#over.addEventListener("pointermove", move);
    this.#over.addEventListener("pointerup", () => this.#over.removeEventListener("pointermove", move), { once: true });
  }

  #dragged(/** @type {PointerEvent} */ event) {
    if (!this.#span) return;
    const { x, y } = this.#at(event);
    const start = { ...this.#span, x0_mm: x, y0_mm: y };
    this.#put(this.#corner === "start" ? start : { ...this.#span, x1_mm: x, y1_mm: y });
  }

  /** Enter sets or swaps the corner, arrows move it (0.2 mm, with Shift 5 mm), Escape puts the calipers away. */
  #keyed(/** @type {KeyboardEvent} */ event) {
    const arrow = event.key.startsWith("Arrow");
    if (event.key === "Escape" && this.#span) this.#put(null);
    else if (event.key === "Enter" && !this.measurable) this.#refused();
    else if (event.key === "Enter" && !this.#span) this.#putFirst();
    else if (event.key === "Enter") this.#corner = this.#corner === "end" ? "start" : "end";
    else if (arrow && this.#span) this.#put(stepped(this.#span, this.#corner, event.key, event.shiftKey ? 5 : 0.2));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** By keyboard the calipers first lie on the calibration pulse, where they can be checked at a glance. */
  #putFirst() {
    const pulse = this.#page?.pulses[0];
    if (!pulse) return;
    this.#corner = "end";
    const [x1_mm, y1_mm] = [pulse.x_mm + pulse.width_mm, pulse.y_mm - pulse.height_mm];
    this.#put({ x0_mm: pulse.x_mm, y0_mm: pulse.y_mm, x1_mm, y1_mm });
  }
}

customElements.define("ecg-paper", EcgPaper);
