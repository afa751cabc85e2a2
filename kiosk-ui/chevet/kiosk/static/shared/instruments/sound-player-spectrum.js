/** Short-time Fourier transform of a sound and its picture, 0-1000 Hz: where heart and lung sounds are. */

/** Sounds are looked at 8000 times a second: the lowest rate every browser decodes to. */
export const RATE_HZ = 8000;
export const TOP_HZ = 1000;
/** 64 ms window, 8 ms hop: splits S1 from S2 and still tells 16 Hz apart. */
const WINDOW = 512;
const HOP = 64;
/** Zero-padded for a smoother picture, 3.9 Hz a row. */
const SIZE = 2048;
export const RANGE_DB = 50;

/**
 * @typedef {object} Spectrum
 * @property {number} frames
 * @property {number} bins rows from 0 to TOP_HZ
 * @property {Float32Array} db [frame * bins + bin], relative to the loudest, 0 and below
 * @property {number} frame_s seconds from one frame to the next
 */

/**
 * @param {Float32Array} sound mono, at RATE_HZ
 * @returns {Spectrum}
 */
export function spectrum(sound) {
  const bins = Math.floor((TOP_HZ / RATE_HZ) * SIZE);
  const frames = Math.max(1, Math.floor((sound.length - WINDOW) / HOP) + 1);
  const power = new Float32Array(frames * bins);
  const hann = Float32Array.from({ length: WINDOW }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW));
  const fft = new Fft(SIZE);
  let loudest = 1e-12;
  for (let frame = 0; frame < frames; frame++) {
    fft.clear();
    for (let i = 0; i < WINDOW; i++) fft.re[i] = (sound[frame * HOP + i] ?? 0) * hann[i];
    fft.run();
    for (let bin = 0; bin < bins; bin++) {
      const value = fft.re[bin] ** 2 + fft.im[bin] ** 2;
      power[frame * bins + bin] = value;
      if (value > loudest) loudest = value;
    }
  }
  const db = power.map((value) => 10 * Math.log10(Math.max(value, 1e-12) / loudest));
  return { frames, bins, db, frame_s: HOP / RATE_HZ };
}

/** In-place radix-2 transform of one length, with its tables kept. */
export class Fft {
  /** @param {number} size a power of two */
  constructor(size) {
    this.size = size;
    this.re = new Float64Array(size);
    this.im = new Float64Array(size);
    this.cos = Float64Array.from({ length: size / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / size));
    this.sin = Float64Array.from({ length: size / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / size));
    const bits = Math.log2(size);
    this.order = Uint32Array.from({ length: size }, (_, i) => {
      let turned = 0;
      for (let bit = 0; bit < bits; bit++) turned |= ((i >> bit) & 1) << (bits - 1 - bit);
      return turned;
    });
  }

  clear() {
    this.re.fill(0);
    this.im.fill(0);
  }

  run() {
    const { size, re, im, order } = this;
    for (let i = 0; i < size; i++) {
      const j = order[i];
      if (j <= i) continue;
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
    for (let half = 1; half < size; half *= 2) this.#stage(half);
  }

  /** @param {number} half half the length of this stage's butterflies */
  #stage(half) {
    const { size, re, im, cos, sin } = this;
    const stride = size / (2 * half);
    for (let start = 0; start < size; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const [c, s] = [cos[k * stride], sin[k * stride]];
        const [a, b] = [start + k, start + k + half];
        const re_b = re[b] * c - im[b] * s;
        const im_b = re[b] * s + im[b] * c;
        re[b] = re[a] - re_b;
        im[b] = im[a] - im_b;
        re[a] += re_b;
        im[a] += im_b;
      }
    }
  }
}

/** Monitor ground to the sound's amber to near white. @type {[number, [number, number, number]][]} */
const COLOURS = [
  [0, [15, 23, 32]],
  [0.35, [62, 52, 60]],
  [0.7, [255, 180, 84]],
  [1, [255, 247, 232]],
];

/** @param {number} share 0 to 1 @returns {[number, number, number]} */
function colour(share) {
  const above = COLOURS.findIndex(([at]) => at >= share);
  if (above <= 0) return COLOURS[0][1];
  const [[from, a], [to, b]] = [COLOURS[above - 1], COLOURS[above]];
  const part = (share - from) / (to - from);
  const mix = (/** @type {number} */ i) => Math.round(a[i] + (b[i] - a[i]) * part);
  return [mix(0), mix(1), mix(2)];
}

/**
 * Paint a spectrum, time from left to right, low frequencies at the bottom.
 *
 * @param {CanvasRenderingContext2D} ctx
 * @param {Spectrum} from
 * @param {number} duration_s of the whole sound
 * @param {{x: number, y: number, width: number, height: number}} box CSS px
 */
export function paint(ctx, from, duration_s, box) {
  const image = new ImageData(from.frames, from.bins);
  const table = Array.from({ length: 256 }, (_, i) => colour(i / 255));
  for (let frame = 0; frame < from.frames; frame++) {
    for (let bin = 0; bin < from.bins; bin++) {
      const share = 1 + from.db[frame * from.bins + bin] / RANGE_DB;
      const [r, g, b] = table[Math.round(255 * Math.min(1, Math.max(0, share)))];
      image.data.set([r, g, b, 255], 4 * ((from.bins - 1 - bin) * from.frames + frame));
    }
  }
  const canvas = new OffscreenCanvas(from.frames, from.bins);
  /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d")).putImageData(image, 0, 0);
  const start = (WINDOW / 2 / RATE_HZ / duration_s) * box.width;
  const width = ((from.frames * from.frame_s) / duration_s) * box.width;
  ctx.drawImage(canvas, box.x + start, box.y, Math.min(width, box.width - start), box.height);
}
