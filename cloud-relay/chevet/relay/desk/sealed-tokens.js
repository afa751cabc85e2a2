/**
 * Numbers as exact waveforms write them (docs/formats.md, section 3, "a list"): tokens of an adaptive rANS coder in
 * lanes, then the bits that follow them. Only what is sealed is decoded in a browser; the relay decodes all else.
 */

import { Unreadable } from "/desk/sealed-cbor.js";

const TOKENS = 495;
const TABLES = 44;
const SLOTS = 1 << 15;
const STEP = 32; // what a token met counts, and how many steps until shares are worked out again
const HEAD = 11;

/** @returns {never} */
export function damaged() {
  throw new Unreadable("waveform_damaged");
}

/** The least magnitude of each token, and how many bits follow it. */
const LEAST = new Float64Array(TOKENS);
const FOLLOW = new Uint8Array(TOKENS);
for (let token = 0; token < TOKENS; token++) {
  const half = (token + 1) >> 1;
  const octave = (half - 32) >> 3;
  LEAST[token] = half < 32 ? half : (8 + ((half - 32) & 7)) * 2 ** (octave + 2);
  FOLLOW[token] = half < 32 ? 0 : octave + 2;
}

/** @type {(Float64Array | undefined)[]} */
const first = Array(TABLES);

/** What a table counts before anything was met: whole numbers far beyond 53 bits. @param {number} table */
function firstCounts(table) {
  const known = first[table];
  if (known) return known;
  const wide = Math.max(3, Math.floor(((4 + (table % 4)) * 2 ** (Math.floor(table / 4) + 1) * 9) / 8) - 6);
  const q = 10n * BigInt(wide) ** 2n;
  const weights = Array.from(LEAST, (least, token) => {
    const follow = FOLLOW[token] ?? 0;
    const far = 16n * (2n * BigInt(least) + (1n << BigInt(follow)) - 1n);
    return (q ** 4n << BigInt(follow + 24)) / (q + far * far) ** 4n;
  });
  const whole = weights.reduce((sum, weight) => sum + weight, 0n);
  const counts = Float64Array.from(weights, (weight) => 1 + Number((8192n * weight) / whole));
  first[table] = counts;
  return counts;
}

/** One table: what was met, and from that where each token's share of the slots begins. */
class Table {
  /** @param {number} number @param {number} size tokens are below it */
  constructor(number, size) {
    this.counts = firstCounts(number).slice(0, size);
    this.starts = new Int32Array(size + 1);
    this.stale = true;
  }

  share() {
    const { counts, starts } = this;
    const size = counts.length;
    let [whole, most] = [0, 0];
    for (let token = 0; token < size; token++) {
      whole += /** @type {number} */ (counts[token]);
      if (/** @type {number} */ (counts[token]) > /** @type {number} */ (counts[most])) most = token;
    }
    let given = 0;
    for (let token = 0; token < size; token++) {
      starts[token] = given;
      given += 1 + Math.floor((/** @type {number} */ (counts[token]) * (SLOTS - size)) / whole);
    }
    for (let token = most + 1; token < size; token++) starts[token] = /** @type {number} */ (starts[token]) + SLOTS - given;
    starts[size] = SLOTS;
    this.stale = false;
  }

  /** The token whose share a slot lies in. @param {number} slot */
  find(slot) {
    let [low, high] = [0, this.counts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (/** @type {number} */ (this.starts[middle]) <= slot) low = middle;
      else high = middle;
    }
    return low;
  }
}

/** One lane: its state, and how large what it told lately was. */
class Lane {
  /** @param {number} state @param {number} before @param {number} pace */
  constructor(state, before, pace) {
    this.state = state;
    this.pace = pace;
    this.seen = new Float64Array(16 << pace).fill(before);
    this.at = 0;
    this.sums = [before * (1 << pace), before * (4 << pace), before * (16 << pace)];
  }

  /** Which table the next token is in. */
  table() {
    const [short, middle, long] = /** @type {[number, number, number]} */ (this.sums);
    const size = Math.floor((8 * short + 2 * middle + long) / (1 << this.pace)) + 8;
    if (size >= 1 << 14) return TABLES - 1;
    const e = 31 - Math.clz32(size);
    return 4 * (e - 3) + ((size >> (e - 2)) & 3);
  }

  /** @param {number} token */
  told(token) {
    const size = /** @type {number} */ (LEAST[token]) + Math.floor(2 ** /** @type {number} */ (FOLLOW[token]) / 2);
    const { seen, at, pace, sums } = this;
    [1, 4, 16].forEach((many, n) => {
      const leaves = /** @type {number} */ (seen[(at + seen.length - (many << pace)) % seen.length]);
      sums[n] = /** @type {number} */ (sums[n]) + size - leaves;
    });
    seen[at] = size;
    this.at = (at + 1) % seen.length;
  }
}

/** @param {Uint8Array} data @param {number} count @param {number} size @param {number} before @param {number} pace @returns {Uint16Array} */
function readTokens(data, count, size, before, pace) {
  const many = Math.max(1, Math.min(Math.floor(count / 512), 8), Math.min(Math.floor(count / 2048), 256));
  const steps = Math.ceil(count / many);
  if (data.length < 4 * many || data.length % 2) damaged();
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const lanes = Array.from({ length: many }, (_, lane) => new Lane(view.getUint32(4 * lane, true), before, pace));
  /** @type {(Table | undefined)[]} */
  const tables = Array(TABLES);
  /** @type {[Table, number][]} */
  let met = [];
  const tokens = new Uint16Array(many * steps);
  let [at, learn] = [4 * many, 0];
  for (let step = 0; step < steps; step++) {
    if (step === learn) {
      for (const [table, token] of met) {
        table.counts[token] = /** @type {number} */ (table.counts[token]) + STEP;
        table.stale = true;
      }
      [met, learn] = [[], step + Math.min(Math.max(step, 1), STEP)];
      for (const table of tables) if (table?.stale) table.share();
    }
    lanes.forEach((lane, n) => {
      const number = lane.table();
      const table = (tables[number] ??= new Table(number, size));
      if (table.stale) table.share();
      const slot = lane.state % SLOTS;
      const token = table.find(slot);
      const begins = /** @type {number} */ (table.starts[token]);
      lane.state = (/** @type {number} */ (table.starts[token + 1]) - begins) * Math.floor(lane.state / SLOTS) + slot - begins;
      met.push([table, token]);
      tokens[n * steps + step] = token;
      lane.told(token);
    });
    for (const lane of lanes) {
      if (lane.state >= 1 << 16) continue;
      if (at + 2 > data.length) damaged();
      lane.state = lane.state * 65_536 + view.getUint16(at, true);
      at += 2;
    }
  }
  if (at !== data.length || lanes.some((lane) => lane.state !== 1 << 16)) damaged();
  return tokens;
}

/** As many numbers as there are shifts. @param {Uint8Array} data @param {ArrayLike<number>} shifts @returns {Float64Array} */
export function readNumbers(data, shifts) {
  if (data.length < HEAD) damaged();
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [size, pace, before, length] = [view.getUint16(0, true), view.getUint8(2), view.getUint32(3, true), view.getUint32(7, true)];
  if (!size || size > TOKENS || pace > 3 || HEAD + length > data.length) damaged();
  const tokens = readTokens(data.subarray(HEAD, HEAD + length), shifts.length, size, before, pace);
  const bits = new Bits(data.subarray(HEAD + length));
  const numbers = new Float64Array(shifts.length);
  for (let n = 0; n < shifts.length; n++) {
    const token = /** @type {number} */ (tokens[n]);
    const shift = /** @type {number} */ (shifts[n]);
    const upper = /** @type {number} */ (LEAST[token]) + bits.take(/** @type {number} */ (FOLLOW[token]));
    numbers[n] = (token & 1 ? -upper : upper) * 2 ** shift + bits.take(shift);
  }
  bits.end();
  return numbers;
}

/** Bits of bytes, the highest first. */
class Bits {
  /** @param {Uint8Array} data */
  constructor(data) {
    this.data = data;
    this.at = 0;
  }

  /** @param {number} count at most 32 */
  take(count) {
    let [value, left] = [0, count];
    if (this.at + count > 8 * this.data.length) damaged();
    while (left) {
      const here = 8 - (this.at & 7);
      const some = Math.min(here, left);
      const byte = /** @type {number} */ (this.data[this.at >> 3]);
      value = value * (1 << some) + ((byte >> (here - some)) & ((1 << some) - 1));
      this.at += some;
      left -= some;
    }
    return value;
  }

  /** Nothing but the filling of the last byte may be left. */
  end() {
    if (Math.ceil(this.at / 8) !== this.data.length) damaged();
  }
}
