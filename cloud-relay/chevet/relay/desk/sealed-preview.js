/** Previews of waveforms opened in the browser (docs/formats.md, section 4, version 2): to look at, never to measure on. */

import { decode } from "/desk/sealed-cbor.js";
import { damaged } from "/desk/sealed-tokens.js";
import { joined } from "/desk/sealed.js";

/** @typedef {import("/desk/sealed-waves.js").Exact} Samples here the preview's own, at its own rate and gain */

const LEVELS = 5;
const FINER = 8;
const MOST_SAMPLES = 1 << 17;
const MOST_COEFFICIENTS = 48_000;
const EDGES = [1, 2, 3, 5, 8, 12, 20, 40, 80];
const CONTEXTS = EDGES.length + 1;
const [KINDS, STEPS, UNARY, LONGEST] = [3, 8, 14, 20];
const TOP = 2 ** 24;
const WORD = 2 ** 32;
/** Of the lifting steps, in the order of reading; then the scale. */
const LIFTS = [0.443506852043971, 0.882911075530934, -0.052980118572961, -1.586134342059924];
const SCALE = 1.149604398860241;
const LIMB = ["I", "II", "III", "aVR", "aVL", "aVF"];

/** A range coder's bits, each with the model that expects it, or with none. */
class Bits {
  /** @param {Uint8Array} data zeros at its end were left out */
  constructor(data) {
    this.data = joined(data, new Uint8Array(8));
    this.at = 4;
    this.code = new DataView(this.data.buffer).getUint32(0);
    this.range = WORD - 1;
  }

  shift() {
    if (this.at >= this.data.length) damaged();
    this.range *= 256;
    this.code = ((this.code * 256) % WORD) + /** @type {number} */ (this.data[this.at++]);
  }

  /** @param {Int32Array} models pairs of a quick and a slow estimate @param {number} which */
  take(models, which) {
    const [quick, slow] = /** @type {[number, number]} */ ([models[2 * which], models[2 * which + 1]]);
    const bound = Math.floor(this.range / 65_536) * ((quick + slow) >> 1);
    const bit = this.code < bound;
    if (!bit) this.code -= bound;
    this.range = bit ? bound : this.range - bound;
    models[2 * which] = bit ? quick + ((65_536 - quick) >> 4) : quick - (quick >> 4);
    models[2 * which + 1] = bit ? slow + ((65_536 - slow) >> 7) : slow - (slow >> 7);
    while (this.range < TOP) this.shift();
    return bit;
  }

  /** @param {number} count */
  even(count) {
    let value = 0;
    for (let left = count; left > 0; left--) {
      this.range = Math.floor(this.range / 2);
      const bit = this.code >= this.range;
      if (bit) this.code -= this.range;
      value = 2 * value + (bit ? 1 : 0);
      while (this.range < TOP) this.shift();
    }
    return value;
  }
}

/** @param {Uint8Array} part @returns {Samples} */
export function readPreview(part) {
  const row = /** @type {any} */ (decode(part));
  if (!Array.isArray(row) || row.length !== 4 || row[0] !== 2 || !(row[3] instanceof Uint8Array)) damaged();
  const [, [channels, count, gaps], stored, packed] = row;
  const one = (/** @type {unknown} */ which) => Number.isInteger(which) && Number(which) >= 0 && Number(which) < channels.length;
  if (!Number.isInteger(count) || count < 0 || channels.length * count > MOST_SAMPLES || stored.length * count > MOST_COEFFICIENTS) damaged();
  if (!stored.every(one) || new Set(stored).size !== stored.length) damaged();
  /** @type {Int32Array[]} */
  const rows = channels.map(() => new Int32Array(count));
  if (stored.length && count) {
    const bands = readBands(new Bits(packed), stored.length, sizesOf(count));
    stored.forEach((/** @type {number} */ which, /** @type {number} */ n) => {
      const line = synthesised(bands.map((band) => /** @type {Float64Array} */ (band[n])), count);
      rows[which] = Int32Array.from(line, (value) => in16(value * FINER));
    });
  }
  addDerived(channels.map((/** @type {any[]} */ [name]) => name), stored, rows);
  return { channels, gaps, bits: 16, rows };
}

/** The length of each band, the coarsest first. @param {number} count */
function sizesOf(count) {
  const sizes = [];
  let left = count;
  for (let level = 0; level < LEVELS; level++) {
    sizes.unshift(Math.floor(left / 2));
    left -= Math.floor(left / 2);
  }
  return [left, ...sizes];
}

/** Bands, in each the rows, in each its coefficients. @param {Bits} bits @param {number} rows @param {number[]} sizes @returns {Float64Array[][]} */
function readBands(bits, rows, sizes) {
  const zero = new Int32Array(2 * KINDS * CONTEXTS).fill(32_768);
  const more = new Int32Array(2 * STEPS * CONTEXTS).fill(32_768);
  /** @type {Float64Array[][]} */
  const bands = [];
  sizes.forEach((count, place) => {
    /** @type {Float64Array[]} */
    const band = [];
    const below = place > 1 ? bands[place - 1] : undefined;
    for (let row = 0; row < rows; row++) {
      const line = new Float64Array(count);
      const size = (/** @type {Float64Array | undefined} */ other, /** @type {number} */ at) => Math.abs(other?.[at] ?? 0);
      const under = below?.[row];
      for (let t = 0; t < count; t++) {
        const [above, higher] = [band[row - 1], band[row - 2]];
        let around = 4 * size(line, t - 1) + 2 * size(line, t - 2) + 2 * size(above, t) + size(above, t + 1) + size(above, t - 1) + size(higher, t);
        if (under?.length) around += 2 * size(under, Math.min(t >> 1, under.length - 1));
        const context = EDGES.filter((edge) => around >= edge).length;
        if (bits.take(zero, Math.min(place, KINDS - 1) * CONTEXTS + context)) line[t] = readCoefficient(bits, more, context);
      }
      band.push(line);
    }
    bands.push(band);
  });
  return bands;
}

/** @param {Bits} bits @param {Int32Array} more @param {number} context */
function readCoefficient(bits, more, context) {
  const sign = bits.even(1) ? -1 : 1;
  let size = 1;
  for (let step = 0; step < UNARY - 1; step++) {
    if (!bits.take(more, context * STEPS + Math.min(step, STEPS - 1))) return sign * size;
    size++;
  }
  let count = 0;
  while (!bits.even(1)) if (++count >= LONGEST) damaged();
  return sign * (size + 2 ** count + bits.even(count) - 1);
}

/** One row from its bands, every product and sum as the first reader's. @param {Float64Array[]} bands @param {number} count */
function synthesised(bands, count) {
  const sizes = [count];
  while (sizes.length < bands.length - 1) sizes.unshift(Math.floor((/** @type {number} */ (sizes[0]) + 1) / 2));
  let line = /** @type {Float64Array} */ (bands[0]);
  sizes.forEach((size, level) => {
    const even = line.map((value) => value / SCALE);
    const odd = /** @type {Float64Array} */ (bands[level + 1]).map((value) => value * SCALE);
    LIFTS.forEach((factor, step) => (step % 2 ? lift(odd, even, 1, -factor) : lift(even, odd, -1, -factor)));
    line = Float64Array.from({ length: size }, (_, t) => /** @type {number} */ ((t % 2 ? odd : even)[t >> 1]));
  });
  return line;
}

/** @param {Float64Array} into @param {Float64Array} from @param {number} beside which neighbour, besides the one at the same place @param {number} factor */
function lift(into, from, beside, factor) {
  const last = from.length - 1;
  if (last < 0) return;
  const at = (/** @type {number} */ place) => /** @type {number} */ (from[Math.max(0, Math.min(place, last))]);
  for (let t = 0; t < into.length; t++) into[t] = /** @type {number} */ (into[t]) + factor * (beside < 0 ? at(t - 1) + at(t) : at(t) + at(t + 1));
}

/** Rounded, half to even, within 16 bits. @param {number} value */
function in16(value) {
  const near = Math.round(value);
  const even = Math.abs(value % 1) === 0.5 && near % 2 ? near - 1 : near;
  return Math.max(-32_768, Math.min(32_767, even));
}

/** The limb leads that did not travel, out of I and II. @param {string[]} names @param {number[]} stored @param {Int32Array[]} rows */
function addDerived(names, stored, rows) {
  const missing = names.flatMap((_, row) => (stored.includes(row) ? [] : [row]));
  if (!missing.length) return;
  if (String(missing) !== "2,3,4,5" || String(names.slice(0, 6)) !== String(LIMB)) damaged();
  const [one, two] = /** @type {[Int32Array, Int32Array]} */ (/** @type {unknown} */ (rows));
  one.forEach((a, t) => {
    const b = /** @type {number} */ (two[t]);
    [b - a, -(a + b) / 2, a - b / 2, b - a / 2].forEach((value, n) => (/** @type {Int32Array} */ (rows[2 + n])[t] = in16(value)));
  });
}
