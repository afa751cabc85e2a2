/**
 * FLAC (RFC 9639) as exact waveforms hold it (docs/formats.md, section 3, versions 1 and 2), to the last bit: browsers play
 * such streams, but hand out no samples of one at 500 Hz. Checksums are passed over: what is opened was authenticated.
 */

import { damaged } from "/desk/sealed-tokens.js";

const MARK_AND_INFO = 42; // "fLaC", the head of the first block, and that block
const LONGEST = 65_536;
/** What a sample of the fixed predictors is made of, the last one first. */
const FIXED = [[], [1], [2, -1], [3, -3, 1], [4, -6, 4, -1]];

/** Bits, the highest first. Numbers have up to 33, so they are sums and not shifts. */
class Bits {
  /** @param {Uint8Array} data */
  constructor(data) {
    this.data = data;
    this.at = 0;
    this.left = 8; // of the byte at `at`
  }

  byte() {
    return this.data[this.at] ?? damaged();
  }

  /** @param {number} count at most what is left of the byte */
  skip(count) {
    this.left -= count;
    if (this.left) return;
    this.left = 8;
    this.at++;
  }

  /** @param {number} count */
  take(count) {
    let value = 0;
    for (let need = count; need > 0; ) {
      const some = Math.min(need, this.left);
      value = value * (1 << some) + ((this.byte() >> (this.left - some)) & ((1 << some) - 1));
      need -= some;
      this.skip(some);
    }
    return value;
  }

  /** @param {number} count */
  signed(count) {
    const value = this.take(count);
    return count && value >= 2 ** (count - 1) ? value - 2 ** count : value;
  }

  /** How many zeros stand before the next one, which is taken too. */
  zeros() {
    for (let count = 0; ; ) {
      const rest = this.byte() & ((1 << this.left) - 1);
      const zeros = rest ? this.left - 32 + Math.clz32(rest) : this.left;
      count += zeros;
      this.skip(rest ? zeros + 1 : zeros);
      if (rest) return count;
    }
  }

  align() {
    if (this.left < 8) this.skip(this.left);
  }
}

/** Decode one stream into rows that are there already. @param {Uint8Array} data @param {Int32Array[]} rows @param {number} width bits of a sample */
export function readFlac(data, rows, width) {
  if (data.length < MARK_AND_INFO || data[0] !== 0x66 || data[1] !== 0x4c || data[2] !== 0x61 || data[3] !== 0x43) damaged();
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const info = view.getUint32(18); // rate (20), channels - 1 (3), bits - 1 (5), and four of how many samples
  if (((info >> 9) & 7) + 1 !== rows.length || ((info >> 4) & 31) + 1 !== width) damaged();
  let at = 4;
  for (let last = false; !last; ) {
    if (at + 4 > data.length) damaged();
    last = view.getUint8(at) > 127;
    at += 4 + (view.getUint32(at) & 0xffffff);
  }
  const bits = new Bits(data);
  bits.at = at;
  const count = rows[0]?.length ?? 0;
  for (let from = 0; from < count; ) from += readFrame(bits, rows, from, width);
  if (bits.at !== data.length) damaged();
}

/** @param {Bits} bits @param {Int32Array[]} rows @param {number} from @param {number} width @returns {number} samples */
function readFrame(bits, rows, from, width) {
  if (bits.take(15) !== 0x7ffc) damaged(); // fourteen bits of sync and a zero
  bits.take(1);
  const [size, rate, joint] = [bits.take(4), bits.take(4), bits.take(4)];
  bits.take(4);
  const ones = Math.clz32(~(bits.byte() << 24)); // a number in the way of UTF-8: which frame
  bits.take(8 * Math.max(ones, 1));
  const count = blockOf(bits, size);
  bits.take(rate === 12 ? 8 : rate === 13 || rate === 14 ? 16 : 0);
  bits.take(8);
  if (count > (rows[0]?.length ?? 0) - from || (joint < 8 ? joint + 1 : 2) !== rows.length || joint > 10) damaged();
  const lines = rows.map((_, row) => readLine(bits, count, width + (joint === 9 ? 1 - row : joint > 7 ? row : 0)));
  if (joint > 7) parted(joint, lines);
  lines.forEach((line, row) => rows[row]?.set(line, from));
  bits.align();
  bits.take(16);
  return count;
}

/** @param {Bits} bits @param {number} code */
function blockOf(bits, code) {
  if (!code) damaged();
  if (code === 1) return 192;
  if (code < 6) return 144 << code;
  return code < 8 ? bits.take(8 * (code - 5)) + 1 : 1 << code;
}

/** Two channels kept as one and their difference, or as their middle and it. @param {number} joint @param {Float64Array[]} lines */
function parted(joint, lines) {
  const [one, two] = /** @type {[Float64Array, Float64Array]} */ (lines);
  for (let t = 0; t < one.length; t++) {
    const [a, b] = /** @type {[number, number]} */ ([one[t], two[t]]);
    if (joint === 8) two[t] = a - b;
    else if (joint === 9) one[t] = a + b;
    else {
      const twice = 2 * a + (Math.abs(b) % 2);
      one[t] = (twice + b) / 2;
      two[t] = (twice - b) / 2;
    }
  }
}

/** One channel of one frame. @param {Bits} bits @param {number} count @param {number} width */
function readLine(bits, count, width) {
  if (bits.take(1)) damaged();
  const kind = bits.take(6);
  const wasted = bits.take(1) ? bits.zeros() + 1 : 0;
  const own = width - wasted;
  if (own < 1) damaged();
  const line = kind === 0 ? new Float64Array(count).fill(bits.signed(own)) : new Float64Array(count);
  if (kind === 1) for (let t = 0; t < count; t++) line[t] = bits.signed(own);
  else if (kind >= 32) readPredicted(bits, line, kind - 31, own, null);
  else if (kind >= 8 && kind <= 12) readPredicted(bits, line, kind - 8, own, /** @type {number[]} */ (FIXED[kind - 8]));
  else if (kind) damaged();
  return wasted ? line.map((value) => value * 2 ** wasted) : line;
}

/** @param {Bits} bits @param {Float64Array} line @param {number} order @param {number} width @param {number[] | null} fixed */
function readPredicted(bits, line, order, width, fixed) {
  if (order > line.length) damaged();
  for (let t = 0; t < order; t++) line[t] = bits.signed(width);
  const precision = fixed ? 0 : bits.take(4) + 1;
  const shift = fixed ? 0 : bits.signed(5);
  if (precision === 16 || shift < 0) damaged();
  const weights = fixed ?? Array.from({ length: order }, () => bits.signed(precision));
  readRest(bits, line, order);
  const part = 2 ** shift;
  for (let t = order; t < line.length; t++) {
    let sum = 0;
    for (let back = 0; back < order; back++) sum += /** @type {number} */ (weights[back]) * /** @type {number} */ (line[t - 1 - back]);
    line[t] = /** @type {number} */ (line[t]) + Math.floor(sum / part);
  }
}

/** What prediction left, in Rice codes. @param {Bits} bits @param {Float64Array} line @param {number} order */
function readRest(bits, line, order) {
  const method = bits.take(2);
  const parts = 1 << bits.take(4);
  if (method > 1 || line.length % parts || line.length > LONGEST) damaged();
  const [size, each] = [4 + method, line.length / parts];
  for (let part = 0, t = order; part < parts; part++) {
    const low = bits.take(size);
    const raw = low === (1 << size) - 1 ? bits.take(5) : -1;
    for (const end = (part + 1) * each; t < end; t++) {
      if (raw >= 0) line[t] = bits.signed(raw);
      else {
        const folded = bits.zeros() * 2 ** low + bits.take(low);
        line[t] = folded % 2 ? -(folded + 1) / 2 : folded / 2;
      }
    }
  }
}
