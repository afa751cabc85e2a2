/**
 * Wave frames (docs/api.md) as leads in physical units, and the display filters of the ECG paper.
 *
 * Stored samples are raw: a filter is applied to what is drawn only, is zero-phase, never crosses a gap,
 * and its name is printed beside the trace.
 */

import { decodeFrame } from "/shared/live.js";

/**
 * @typedef {object} Lead
 * @property {string} name
 * @property {Float32Array} values physical units of `Wave.unit`
 */

/**
 * @typedef {object} Wave
 * @property {number} rate_hz
 * @property {string} unit
 * @property {string} layer "live", "preview" or "lossless"
 * @property {number} samples per lead
 * @property {Lead[]} leads
 * @property {[number, number][]} gaps first sample and count, in samples of this wave
 */

/** @typedef {"diagnostic" | "monitor" | "raw"} FilterName */

/** @typedef {{low_hz: number | null, high_hz: number | null}} Band what was truly applied */

/** @type {Record<FilterName, Band>} Clinical display norms: 0.05-150 Hz by default, 40 Hz as a labelled view. */
export const FILTERS = {
  diagnostic: { low_hz: 0.05, high_hz: 150 },
  monitor: { low_hz: 0.5, high_hz: 40 },
  raw: { low_hz: null, high_hz: null },
};

/** Electrodes have a voltage of their own, up to 300 mV; a lead further from zero than this is off its row of the paper. */
const FAR_MV = 1;

/** A Butterworth section run twice is 3 dB down at this part of its own analogue corner: (sqrt(2) - 1) ** 0.25. */
const TWICE = 0.8022;

/**
 * Read one binary wave frame.
 *
 * @param {ArrayBuffer} buffer
 * @returns {Wave}
 * @throws {RangeError} when the bytes are not a whole frame of samples
 */
export function readWave(buffer) {
  const frame = decodeFrame(buffer);
  if (frame?.kind !== "samples") throw new RangeError("not a whole wave frame of samples");
  const { rate_hz, unit, layer, count, first, channels } = frame.header;
  const leads = channels.map(({ name, gain, offset }, row) => {
    return { name, values: Float32Array.from(frame.channels[row], (value) => value * gain + offset) };
  });
  /** @type {[number, number][]} */
  const gaps = frame.header.gaps.map(([from, length]) => [from - first, length]);
  return { rate_hz, unit, layer, samples: count, leads: withLimbLeads(leads), gaps };
}

/** III and the augmented leads as parts of I and II (Einthoven, Goldberger): a front end with eight leads sends only those. */
const LIMB = /** @type {[string, number, number][]} */ ([["III", -1, 1], ["aVR", -0.5, -0.5], ["aVL", 1, -0.5], ["aVF", -0.5, 1]]);

/**
 * @param {Lead[]} leads
 * @returns {Lead[]} with the limb leads that are missing but follow exactly
 */
function withLimbLeads(leads) {
  const named = (/** @type {string} */ name) => leads.find((lead) => lead.name === name)?.values;
  const [one, two] = [named("I"), named("II")];
  if (!one || !two) return leads;
  const derived = LIMB.filter(([name]) => !named(name)).map(([name, a, b]) => {
    return { name, values: one.map((value, i) => a * value + b * two[i]) };
  });
  return [...leads, ...derived];
}

/**
 * The stretches that did arrive.
 *
 * @param {number} samples
 * @param {[number, number][]} gaps ascending, disjoint
 * @returns {[number, number][]} from (included) and to (excluded)
 */
export function stretches(samples, gaps) {
  /** @type {[number, number][]} */
  const found = [];
  let from = 0;
  for (const [first, count] of gaps) {
    if (first > from) found.push([from, Math.min(first, samples)]);
    from = Math.max(from, first + count);
  }
  if (from < samples) found.push([from, samples]);
  return found;
}

/**
 * The band a filter gives at this rate: a corner at or above 0.45 of the rate cannot be applied and is left out.
 *
 * @param {FilterName} name
 * @param {number} rate_hz
 * @returns {Band}
 */
export function bandAt(name, rate_hz) {
  const { low_hz, high_hz } = FILTERS[name];
  return { low_hz, high_hz: high_hz !== null && high_hz < 0.45 * rate_hz ? high_hz : null };
}

/**
 * Filter one lead forward and backward, stretch by stretch.
 *
 * @param {Float32Array} values
 * @param {number} rate_hz
 * @param {[number, number][]} gaps
 * @param {FilterName} name
 * @returns {Float32Array} same length; inside gaps untouched
 */
export function filterLead(values, rate_hz, gaps, name) {
  const { low_hz, high_hz } = bandAt(name, rate_hz);
  if (low_hz === null && high_hz === null) return values;
  const out = values.slice();
  for (const [from, to] of stretches(values.length, gaps)) {
    let part = Float64Array.from(values.subarray(from, to));
    if (part.length < 8) continue;
    if (low_hz !== null) part = bothWays(part, section("high", low_hz, rate_hz));
    if (high_hz !== null) part = bothWays(part, section("low", high_hz, rate_hz));
    out.set(part, from);
  }
  return out;
}

/**
 * Where an unfiltered lead is drawn: around its own middle when it lies far from zero.
 *
 * @param {Float32Array} values
 * @param {[number, number][]} gaps
 * @returns {Float32Array} `values` themselves when they lie near zero
 */
export function centredLead(values, gaps) {
  const there = stretches(values.length, gaps).map(([from, to]) => values.subarray(from, to));
  const sorted = Float32Array.from(there.flatMap((part) => [...part])).sort();
  const middle = sorted[sorted.length >> 1] ?? 0;
  return Math.abs(middle) > FAR_MV ? values.map((value) => value - middle) : values;
}

/** @typedef {[number, number, number, number, number]} Biquad b0 b1 b2 a1 a2 */

/**
 * Second-order Butterworth section by the bilinear transform with prewarping, 3 dB down at `corner_hz` once it ran twice.
 *
 * @param {"low" | "high"} kind
 * @param {number} corner_hz
 * @param {number} rate_hz
 * @returns {Biquad}
 */
function section(kind, corner_hz, rate_hz) {
  const warped = Math.tan((Math.PI * corner_hz) / rate_hz);
  const k = kind === "low" ? warped / TWICE : warped * TWICE;
  const norm = 1 / (1 + Math.SQRT2 * k + k * k);
  const a1 = 2 * (k * k - 1) * norm;
  const a2 = (1 - Math.SQRT2 * k + k * k) * norm;
  return kind === "low" ? [k * k * norm, 2 * k * k * norm, k * k * norm, a1, a2] : [norm, -2 * norm, norm, a1, a2];
}

/**
 * Forward and backward over an odd extension of the ends, so that the edges do not ring.
 *
 * @param {Float64Array} x
 * @param {Biquad} biquad
 * @returns {Float64Array<ArrayBuffer>}
 */
function bothWays(x, biquad) {
  const n = x.length;
  const pad = n - 1;
  const long = new Float64Array(n + 2 * pad);
  for (let i = 0; i < pad; i++) {
    long[i] = 2 * x[0] - x[pad - i];
    long[n + pad + i] = 2 * x[n - 1] - x[n - 2 - i];
  }
  long.set(x, pad);
  oneWay(long, biquad);
  long.reverse();
  oneWay(long, biquad);
  long.reverse();
  return long.slice(pad, pad + n);
}

/**
 * In place, transposed direct form II, started in the steady state of the first value.
 *
 * @param {Float64Array} x
 * @param {Biquad} biquad
 */
function oneWay(x, [b0, b1, b2, a1, a2]) {
  const settled = (x[0] * (b0 + b1 + b2)) / (1 + a1 + a2);
  let s2 = b2 * x[0] - a2 * settled;
  let s1 = b1 * x[0] - a1 * settled + s2;
  for (let i = 0; i < x.length; i++) {
    const value = x[i];
    const y = b0 * value + s1;
    s1 = b1 * value - a1 * y + s2;
    s2 = b2 * value - a2 * y;
    x[i] = y;
  }
}
