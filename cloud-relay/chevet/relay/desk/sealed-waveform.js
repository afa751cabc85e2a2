/** Exact waveforms decoded in the browser (docs/formats.md, section 3, all versions), to the last bit. */

import { readFlac } from "/desk/sealed-flac.js";
import { damaged, readNumbers } from "/desk/sealed-tokens.js";

const HEAD = 10;
const FRAME_HEAD = 16;
const FRAME = 1 << 19;
const LIMIT = 2 ** 18;
const MOST_CHANNELS = 64;
/** Rows of one FLAC stream; and the flag of low bytes that stand apart. */
const STREAM = 8;
const SPLIT = 8;
/** As the first reader's: 64 MiB of samples. */
const MOST_BYTES = 1 << 26;

/** @typedef {{bits: 16 | 32, rows: Int32Array[]}} Samples */
/** @typedef {{moving: number, own: number, above: number, back: number, ahead: number, scale: number, places: number}} Reach */
/** @typedef {{lowest: number, step: number, used: Float64Array | null}} Levels */

/** @param {Uint8Array} blob @returns {Samples} */
export function decodeWaveform(blob) {
  if (blob.length < HEAD || blob[0] !== 0x43 || blob[1] !== 0x56 || blob[2] !== 0x57) damaged();
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const [version, flags, channels, count] = [view.getUint8(3), view.getUint8(4), view.getUint8(5), view.getUint32(6, true)];
  if (version < 1 || version > 4 || flags > (version === 2 ? 15 : 7)) damaged();
  const bits = version % 2 ? 16 : 32;
  const limb = (flags & 1) === 1;
  if (channels > MOST_CHANNELS || (channels * count * bits) / 8 > MOST_BYTES || (limb && (channels < 6 || ((flags >> 1) & 3) > 2))) damaged();
  const rows = Array.from({ length: channels }, () => new Int32Array(count));
  if (version < 3) readStreams(blob, rows, bits, (flags & SPLIT) !== 0);
  else readFrames(blob, rows, bits);
  if (limb) addLimbLeads(rows, (flags >> 1) & 3, bits);
  return { bits, rows };
}

/** The piece that stands behind its length. @param {Uint8Array} blob @param {number} at @returns {Uint8Array} */
function piece(blob, at) {
  if (at + 4 > blob.length) damaged();
  const size = new DataView(blob.buffer, blob.byteOffset + at, 4).getUint32(0, true);
  if (at + 4 + size > blob.length) damaged();
  return blob.subarray(at + 4, at + 4 + size);
}

/** Versions 3 and 4. @param {Uint8Array} blob @param {Int32Array[]} rows @param {number} bits */
function readFrames(blob, rows, bits) {
  const count = rows[0]?.length ?? 0;
  const frames = Math.ceil((rows.length * count) / FRAME);
  const length = frames ? Math.ceil(count / frames) : 0;
  let at = HEAD;
  for (let from = 0; from < count; from += length) {
    const frame = piece(blob, at);
    readFrame(frame, rows, from, Math.min(length, count - from), bits);
    at += 4 + frame.length;
  }
  if (at !== blob.length) damaged();
}

/** Versions 1 and 2: a stream for every eight rows, and where low bytes stand apart one more for these. @param {Uint8Array} blob @param {Int32Array[]} rows @param {number} bits @param {boolean} split */
function readStreams(blob, rows, bits, split) {
  let at = HEAD;
  const next = (/** @type {Int32Array[]} */ some, /** @type {number} */ width) => {
    const stream = piece(blob, at);
    readFlac(stream, some, width);
    at += 4 + stream.length;
  };
  for (let first = 0; first < rows.length && rows[0]?.length; first += STREAM) {
    const block = rows.slice(first, first + STREAM);
    next(block, bits === 16 ? 16 : 24);
    if (!split) continue;
    const low = block.map((row) => new Int32Array(row.length));
    next(low, 16);
    if (low.some((row) => row.some((byte) => byte < 0 || byte > 255))) damaged();
    block.forEach((row, n) => row.forEach((upper, t) => (row[t] = (upper << 8) | /** @type {number} */ (low[n]?.[t]))));
  }
  if (at !== blob.length) damaged();
}

/** @param {Uint8Array} data @param {Int32Array[]} rows @param {number} from @param {number} count @param {number} bits */
function readFrame(data, rows, from, count, bits) {
  if (data.length < FRAME_HEAD) damaged();
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [moving, own, above, back, ahead, scale] = /** @type {[number, number, number, number, number, number]} */ (Array.from(data.subarray(0, 6)));
  const reach = { moving, own, above, back, ahead, scale, places: view.getUint16(6, true) };
  const [many, size] = [view.getUint32(8, true), view.getUint32(12, true)];
  check(reach, rows.length, count);
  if (many > rows.length * (count + 512) || FRAME_HEAD + size > data.length) damaged();
  const side = readNumbers(data.subarray(FRAME_HEAD, FRAME_HEAD + size), new Uint8Array(many));
  const { levels, at } = readLevels(side, rows.length);
  const taps = own + above * (back + ahead);
  const rest = side.subarray(at);
  if (levels.filter(({ step }) => step).length !== moving || rest.length !== moving * reach.places * (2 + taps)) damaged();
  if (!moving && data.length !== FRAME_HEAD + size) damaged();
  const ranks = moving ? readRanks(data.subarray(FRAME_HEAD + size), rest, reach, count) : [];
  const top = 2 ** (bits - 1);
  let next = 0;
  levels.forEach((level, n) => {
    const into = /** @type {Int32Array} */ (rows[n]);
    const moves = level.step ? /** @type {Float64Array} */ (ranks[next++]) : null;
    for (let t = 0; t < count; t++) {
      const value = moves ? valueOf(level, /** @type {number} */ (moves[t])) : level.lowest;
      if (!(value >= -top && value < top)) damaged();
      into[from + t] = value;
    }
  });
}

/** Refuse what nobody writes: it could take more time or memory than the samples are worth. @param {Reach} reach @param {number} channels @param {number} count */
function check({ moving, own, above, back, ahead, scale, places }, channels, count) {
  const length = Math.ceil(count / Math.max(places, 1));
  const cut = places === 1 || (places > 1 && Math.floor(count / places) >= 1024);
  const rows = above ? back > 0 : back + ahead === 0;
  if (!(moving <= channels && cut && length <= 1 << 15 && own <= 64 && back + ahead <= 32 && scale <= 16 && rows && above <= Math.min(15, Math.max(moving - 1, 0)))) damaged();
}

/** @param {Float64Array} side @param {number} channels @returns {{levels: Levels[], at: number}} */
function readLevels(side, channels) {
  const levels = [];
  let at = 0;
  for (let channel = 0; channel < channels; channel++) {
    const [lowest, step, many] = side.subarray(at, at + 3);
    if (lowest === undefined || step === undefined || many === undefined || step < 0 || step > 2 ** 32 || many < 0) damaged();
    const gaps = side.subarray(at + 3, at + 3 + many);
    if (gaps.length !== many || gaps.some((gap) => gap < 1)) damaged();
    at += 3 + many;
    let sum = 0;
    levels.push({ lowest, step, used: many ? Float64Array.of(0, ...Array.from(gaps, (gap) => (sum += gap))) : null });
  }
  return { levels, at };
}

/** @param {Levels} level @param {number} rank */
function valueOf({ lowest, step, used }, rank) {
  return lowest + step * (used ? (used[rank] ?? damaged()) : rank);
}

/** The rows that move, as ranks. @param {Uint8Array} data @param {Float64Array} side starts, shifts and coefficients @param {Reach} reach @param {number} count @returns {Float64Array[]} */
function readRanks(data, side, reach, count) {
  const { moving, places } = reach;
  const [each, length] = [moving * places, Math.ceil(count / places)];
  const shifts = side.subarray(each, 2 * each);
  const coefficients = side.subarray(2 * each);
  if (shifts.some((shift) => shift < 0 || shift > 32) || coefficients.some((one) => Math.abs(one) > LIMIT)) damaged();
  const left = readNumbers(data, Uint8Array.from({ length: each * length }, (_, n) => /** @type {number} */ (shifts[Math.floor(n / length)])));
  const rows = Array.from({ length: moving }, () => new Float64Array(places * length));
  for (let place = 0; place < places; place++) {
    /** @type {Float64Array[]} */
    const laid = [];
    for (let row = 0; row < moving; row++) {
      const from = (row * places + place) * length;
      const weights = Float64Array.from({ length: coefficients.length / each }, (_, tap) => /** @type {number} */ (coefficients[tap * each + place * moving + row]));
      const line = predicted(left.subarray(from, from + length), weights, laid, reach);
      const start = side.subarray(row * places, row * places + place + 1).reduce((sum, step) => sum + step, 0);
      laid.push(line);
      rows[row]?.set(line.map((value) => value + start), place * length);
    }
  }
  return rows;
}

/**
 * One segment of one row from what prediction left of it. Sums are kept in two parts, of the upper and the lower 16 bits
 * of each value: together they may need more than the 53 bits that a number here holds exactly.
 *
 * @param {Float64Array} left @param {Float64Array} weights @param {Float64Array[]} laid the rows above @param {Reach} reach
 */
function predicted(left, weights, laid, { own, above, back, ahead, scale }) {
  const line = new Float64Array(left.length);
  const [whole, half] = [2 ** scale, Math.floor(2 ** scale / 2)];
  const lines = Array.from({ length: above }, (_, up) => laid[laid.length - 1 - up]);
  for (let t = 0; t < line.length; t++) {
    let [high, low, tap] = [0, half, 0];
    const add = (/** @type {number} */ value) => {
      const upper = Math.floor(value / 65_536);
      const weight = /** @type {number} */ (weights[tap++]);
      high += weight * upper;
      low += weight * (value - upper * 65_536);
    };
    for (let k = t - own; k < t; k++) add(line[k] ?? 0);
    for (const other of lines) for (let k = t - back + 1; k <= t + ahead; k++) add(other?.[k] ?? 0);
    line[t] = /** @type {number} */ (left[t]) + high * (65_536 / whole) + Math.floor(low / whole);
  }
  return line;
}

/** Halving down, toward zero, and to the even one. @type {((x: number) => number)[]} */
const HALVED = [
  (x) => Math.floor(x / 2),
  (x) => Math.trunc(x / 2),
  (x) => {
    const down = Math.floor(x / 2);
    return 2 * down === x || down % 2 === 0 ? down : down + 1;
  },
];

/** What I and II say of III, aVR, aVL and aVF is added to what is left of these. @param {Int32Array[]} rows @param {number} rounding @param {number} bits */
function addLimbLeads(rows, rounding, bits) {
  const half = HALVED[rounding] ?? damaged();
  const wrapped = (/** @type {number} */ x) => (bits === 16 ? (x << 16) >> 16 : x | 0);
  const [one, two, ...others] = /** @type {[Int32Array, Int32Array, ...Int32Array[]]} */ (rows);
  one.forEach((first, t) => {
    const second = /** @type {number} */ (two[t]);
    [second - first, half(-first - second), half(2 * first - second), half(2 * second - first)].forEach((limb, n) => {
      const row = /** @type {Int32Array} */ (others[n]);
      row[t] = wrapped(/** @type {number} */ (row[t]) + wrapped(limb));
    });
  });
}
