/**
 * `<live-wave>`: live channels on a monitor, swept from left to right at the display's own rate.
 * Never mirrored. A gap stays a gap; a channel without contact is a dashed amber line.
 *
 * Attributes: `seconds` (width of the sweep, 6), `columns` (1), `colour` (ecg, pleth, sound),
 * `highpass` (Hz, of the view only), `floor` (smallest half-height of a row, in the signal's unit), `still` (a whole recording, pushed once).
 * Call `push(frame)` with sample frames and `setOff(names)` with the channels that have no contact. Of a device with
 * several streams the main one is drawn.
 */

import { WaveBuffer } from "/shared/instruments/wave-buffer.js";

/** @typedef {import("/shared/types.js").SampleFrame} SampleFrame */

const GUTTER = 52; // CSS pixels left of each column, for the channel's name
const BAR = 18; // blank pixels ahead of the head
const TAIL = 6; // redrawn behind the head, where its dot was
/** The picture runs this far behind the newest sample, so that frames of 50 ms flow evenly. */
const DELAY_S = 0.07;
const STEPS = [1, 1.5, 2, 3, 5, 7.5];

const NOTHING = 0;
const SIGNAL = 1;
const OFF = 2;

/**
 * Lowest and highest of samples [from, to), and what they are: a gap or a missing contact anywhere in them counts.
 * @param {Float32Array} values @param {Uint8Array} flags @param {number} from @param {number} to @param {number} length
 */
function span(values, flags, from, to, length) {
  let low = Infinity;
  let high = -Infinity;
  let kind = SIGNAL;
  for (let i = from; i < to; i++) {
    const value = values[i % length] ?? NaN;
    if (Number.isNaN(value)) return { low: 0, high: 0, kind: NOTHING };
    if (flags[i % length]) kind = OFF;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, high, kind };
}

export class LiveWave extends HTMLElement {
  constructor() {
    super();
    this.canvas = document.createElement("canvas");
    /** @type {WaveBuffer | null} */
    this.buffer = null;
    /** @type {ReadonlySet<string>} */
    this.off = new Set();
    this.unit = "";
    this.head = NaN;
    this.half = 1;
    this.frame = 0;
    this.lastTick = 0;
    this.lastScale = 0;
    this.colours = { line: "", off: "" };
    /** @type {ReturnType<LiveWave["rows"]>} */
    this.placed = [];
    this.stale = true;
    this.watcher = new ResizeObserver(() => {
      this.stale = true;
    });
  }

  connectedCallback() {
    this.setAttribute("dir", "ltr");
    this.setAttribute("role", "img");
    this.canvas.setAttribute("aria-hidden", "true");
    this.append(this.canvas);
    this.watcher.observe(this);
    this.frame = requestAnimationFrame((at) => this.tick(at));
  }

  disconnectedCallback() {
    cancelAnimationFrame(this.frame);
    this.watcher.disconnect();
  }

  /** @param {SampleFrame} frame */
  push(frame) {
    if (frame.header.main === false) return;
    if (!this.buffer?.fits(frame)) this.renew(frame);
    this.buffer?.add(frame, this.off);
  }

  /** @param {Iterable<string>} names channels without contact from now on */
  setOff(names) {
    const off = new Set(names);
    if ([...off].sort().join() === [...this.off].sort().join()) return;
    this.off = off;
    this.stale = true;
  }

  clear() {
    this.buffer = null;
    this.stale = true;
  }

  /** @param {SampleFrame} frame */
  renew(frame) {
    const names = frame.header.channels.map((channel) => channel.name);
    this.buffer = new WaveBuffer(names, frame.header.rate_hz, this.attr("seconds", 6), this.attr("highpass", 0));
    this.unit = frame.header.unit;
    this.half = this.attr("floor", 1);
    this.head = NaN;
    this.stale = true;
  }

  /** @param {string} name @param {number} otherwise */
  attr(name, otherwise) {
    return Number(this.getAttribute(name) ?? otherwise);
  }

  /** @param {number} at ms */
  tick(at) {
    const passed = Math.min(0.25, (at - this.lastTick) / 1000);
    this.lastTick = at;
    if (this.buffer && !Number.isNaN(this.buffer.next)) this.advance(this.buffer, at, passed);
    else if (this.stale) this.layout();
    this.frame = requestAnimationFrame((next) => this.tick(next));
  }

  /** @param {WaveBuffer} buffer @param {number} at @param {number} passed s */
  advance(buffer, at, passed) {
    const still = this.hasAttribute("still");
    const target = still ? buffer.next - 1 : buffer.next - DELAY_S * buffer.rateHz;
    const from = this.head;
    const far = Number.isNaN(from) || (still && from !== target) || Math.abs(target - from) > buffer.rateHz;
    const eased = from + passed * buffer.rateHz + (target - from) * Math.min(1, passed * 3);
    this.head = far ? target : Math.max(from, Math.min(eased, buffer.next));
    if (at - this.lastScale > 500) this.rescale(buffer, at);
    if (this.stale || far) this.redraw(buffer);
    else if (!still && this.head > from) this.draw(buffer, from - TAIL, this.head);
  }

  /** Steps, and slow to shrink: a scale that breathes cannot be read. @param {WaveBuffer} buffer @param {number} at */
  rescale(buffer, at) {
    this.lastScale = at;
    const peak = Math.max(buffer.reachOfSignal() * 1.1, this.attr("floor", 1));
    const decade = 10 ** Math.floor(Math.log10(peak));
    const half = decade * (STEPS.find((step) => step * decade >= peak) ?? 10);
    if (half > this.half || half < this.half / 2) {
      this.half = half;
      this.stale = true;
    }
  }

  layout() {
    const { clientWidth: width, clientHeight: height } = this;
    const ratio = window.devicePixelRatio || 1;
    if (this.canvas.width !== width * ratio || this.canvas.height !== height * ratio) {
      this.canvas.width = width * ratio;
      this.canvas.height = height * ratio;
    }
    const pen = this.pen();
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    this.stale = false;
  }

  pen() {
    const pen = this.canvas.getContext("2d");
    if (!pen) throw new Error("This browser draws no canvas.");
    return pen;
  }

  /** Where each channel is drawn. @param {WaveBuffer} buffer */
  rows(buffer) {
    const columns = Math.min(this.attr("columns", 1), buffer.names.length);
    const perColumn = Math.ceil(buffer.names.length / columns);
    const width = this.clientWidth / columns;
    const height = this.clientHeight / perColumn;
    return buffer.names.map((name, c) => {
      const left = Math.floor(c / perColumn) * width + GUTTER;
      return { name, c, left, width: width - GUTTER - 12, top: (c % perColumn) * height, height };
    });
  }

  /** @param {WaveBuffer} buffer */
  redraw(buffer) {
    this.layout();
    const pen = this.pen();
    const style = getComputedStyle(this);
    // Looked up here and not while drawing: asking for style or size in every frame costs more than the lines.
    this.colours = { line: style.getPropertyValue(`--${this.getAttribute("colour") ?? "ecg"}`), off: style.getPropertyValue("--attention") };
    this.placed = this.rows(buffer);
    pen.font = `600 15px ${style.getPropertyValue("--font") || "sans-serif"}`;
    pen.textBaseline = "middle";
    for (const row of this.placed) {
      pen.fillStyle = style.getPropertyValue(this.off.has(row.name) ? "--attention" : "--monitor-text");
      if (buffer.names.length > 1) pen.fillText(row.name, row.left - GUTTER + 12, row.top + row.height / 2);
    }
    this.millivolt(pen, style);
    this.draw(buffer, this.head - buffer.length, this.head);
  }

  /** A one-millivolt mark, so that an ECG row has a height one can name. @param {CanvasRenderingContext2D} pen @param {CSSStyleDeclaration} style */
  millivolt(pen, style) {
    const row = this.placed[0];
    if (this.unit !== "mV" || !row) return;
    const size = (row.height / 2) * (1 / this.half);
    const middle = row.top + row.height / 2;
    pen.strokeStyle = style.getPropertyValue("--monitor-soft");
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.moveTo(row.left - 3, middle - size / 2);
    pen.lineTo(row.left - 8, middle - size / 2);
    pen.lineTo(row.left - 8, middle + size / 2);
    pen.lineTo(row.left - 3, middle + size / 2);
    pen.stroke();
  }

  /** Draw samples [from, to] of every channel; indices may be fractions. @param {WaveBuffer} buffer @param {number} from @param {number} to */
  draw(buffer, from, to) {
    const colours = this.colours;
    const start = Math.max(from, to - buffer.length, 0);
    for (const row of this.placed) {
      const lap = Math.floor(start / buffer.length) * buffer.length;
      for (let base = lap; base <= to; base += buffer.length) {
        this.sweep(buffer, row, base, Math.max(start, base), Math.min(to, base + buffer.length), colours);
      }
      if (!this.hasAttribute("still")) this.dot(buffer, row, to, colours);
    }
  }

  /**
   * One stretch inside one lap of the sweep, clipped to whole pixels so that joints do not show.
   * @param {WaveBuffer} buffer
   * @param {ReturnType<LiveWave["rows"]>[number]} row
   * @param {number} base index at the left edge @param {number} from @param {number} to
   * @param {{ line: string, off: string }} colours
   */
  sweep(buffer, row, base, from, to, colours) {
    const pen = this.pen();
    const step = row.width / buffer.length;
    const left = Math.max(row.left - 2, Math.floor(row.left + (from - base) * step) - TAIL);
    const right = Math.min(row.left + row.width + 4, Math.ceil(row.left + (to - base) * step) + BAR);
    pen.save();
    pen.beginPath();
    pen.rect(left, row.top, right - left, row.height);
    pen.clip();
    pen.clearRect(left, row.top, right - left, row.height);
    const first = Math.max(base, Math.floor(from - (TAIL + 4) / step));
    this.trace(pen, buffer, row, base, first, Math.floor(to), colours);
    pen.restore();
  }

  /**
   * Runs of signal, of no contact and of nothing. Where many samples share a pixel only its lowest and highest are
   * drawn: the same picture for a fraction of the work.
   * @param {CanvasRenderingContext2D} pen @param {WaveBuffer} buffer @param {ReturnType<LiveWave["rows"]>[number]} row
   * @param {number} base @param {number} first @param {number} last @param {{ line: string, off: string }} colours
   */
  trace(pen, buffer, row, base, first, last, colours) {
    const values = buffer.values[row.c] ?? new Float32Array();
    const flags = buffer.off[row.c] ?? new Uint8Array();
    const step = row.width / buffer.length;
    const stride = Math.max(1, Math.round(0.5 / step));
    let drawing = NOTHING;
    for (let i = first - (first % stride); i <= last; i += stride) {
      const { low, high, kind } = span(values, flags, i, Math.min(i + stride, last + 1), buffer.length);
      const x = row.left + (i - base) * step;
      if (kind !== drawing) {
        if (drawing) pen.stroke();
        drawing = kind;
        this.dip(pen, kind, x - row.left, colours);
      }
      if (!drawing) continue;
      pen.lineTo(x, this.y(row, kind === OFF ? 0 : high));
      if (low !== high && kind === SIGNAL) pen.lineTo(x, this.y(row, low));
    }
    if (drawing) pen.stroke();
  }

  /** Begin a stroke. Dashes lie on a fixed grid, so that they do not crawl while the head moves. @param {CanvasRenderingContext2D} pen @param {number} kind @param {number} x @param {{ line: string, off: string }} colours */
  dip(pen, kind, x, colours) {
    pen.beginPath();
    pen.lineJoin = "round";
    pen.lineWidth = 2;
    pen.strokeStyle = kind === OFF ? colours.off : colours.line;
    pen.setLineDash(kind === OFF ? [8, 8] : []);
    pen.lineDashOffset = kind === OFF ? x : 0;
  }

  /** @param {{ top: number, height: number }} row @param {number} value */
  y(row, value) {
    const half = row.height / 2;
    return row.top + half - Math.max(-1, Math.min(1, value / this.half)) * (half - 4);
  }

  /** The bright point at the head. @param {WaveBuffer} buffer @param {ReturnType<LiveWave["rows"]>[number]} row @param {number} at @param {{ line: string }} colours */
  dot(buffer, row, at, colours) {
    const index = Math.floor(at);
    const value = buffer.values[row.c]?.[index % buffer.length] ?? NaN;
    if (Number.isNaN(value) || buffer.off[row.c]?.[index % buffer.length]) return;
    const pen = this.pen();
    pen.fillStyle = colours.line;
    pen.beginPath();
    pen.arc(row.left + ((index % buffer.length) / buffer.length) * row.width, this.y(row, value), 3, 0, 2 * Math.PI);
    pen.fill();
  }
}

customElements.define("live-wave", LiveWave);
