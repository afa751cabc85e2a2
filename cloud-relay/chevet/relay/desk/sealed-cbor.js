/** The small part of CBOR (RFC 8949) that travels: strict in, deterministic out. docs/formats.md says which. */

/** @typedef {null | boolean | number | string | Uint8Array | any[] | Record<string, any>} Value */

const DEEPEST = 8;
const SIMPLE = /** @type {Record<number, Value>} */ ({ 20: false, 21: true, 22: null });
const text = new TextDecoder("utf-8", { fatal: true });
const bytes = new TextEncoder();

/** What cannot be read. `code` says why, for people's words. */
export class Unreadable extends Error {
  /** @param {string} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** Walks the bytes once; every length is checked against what is left before it is used. */
class Reader {
  /** @param {Uint8Array} data */
  constructor(data) {
    this.data = data;
    this.view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    this.at = 0;
  }

  /** @param {number} count */
  take(count) {
    if (count > this.data.length - this.at) throw new Unreadable("malformed");
    this.at += count;
    return this.data.subarray(this.at - count, this.at);
  }

  /** @param {number} low */
  argument(low) {
    if (low < 24) return low;
    if (low > 27) throw new Unreadable("malformed");
    let value = 0;
    for (const byte of this.take(1 << (low - 24))) value = value * 256 + byte;
    if (!Number.isSafeInteger(value)) throw new Unreadable("malformed");
    return value;
  }

  /** @param {number} depth @returns {Value} */
  value(depth) {
    if (!depth) throw new Unreadable("malformed");
    const first = this.take(1)[0] ?? 0;
    const [major, low] = [first >> 5, first & 31];
    if (major === 7) return this.simple(low);
    const size = this.argument(low);
    if (major === 0) return size;
    if (major === 1) return -1 - size;
    if (major === 2) return this.take(size).slice();
    if (major === 3) return this.words(size);
    if (major === 6 || size > this.data.length - this.at) throw new Unreadable("malformed");
    if (major === 4) return Array.from({ length: size }, () => this.value(depth - 1));
    return this.map(size, depth);
  }

  /** @param {number} size */
  words(size) {
    try {
      return text.decode(this.take(size));
    } catch {
      throw new Unreadable("malformed");
    }
  }

  /** @param {number} low @returns {Value} */
  simple(low) {
    if (low in SIMPLE) return SIMPLE[low] ?? null;
    if (low < 25 || low > 27) throw new Unreadable("malformed");
    const at = this.at;
    this.take(1 << (low - 24));
    if (low === 27) return this.view.getFloat64(at);
    return low === 26 ? this.view.getFloat32(at) : half(this.view.getUint16(at));
  }

  /** @param {number} size @param {number} depth */
  map(size, depth) {
    /** @type {Record<string, Value>} */
    const pairs = Object.create(null);
    for (let left = size; left > 0; left--) {
      const first = this.take(1)[0] ?? 0;
      if (first >> 5 !== 3) throw new Unreadable("malformed");
      const key = this.words(this.argument(first & 31));
      if (key in pairs) throw new Unreadable("malformed");
      pairs[key] = this.value(depth - 1);
    }
    return pairs;
  }
}

/** A float of 16 bits, RFC 8949 appendix D. @param {number} bits */
function half(bits) {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const sign = bits >> 15 ? -1 : 1;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction);
}

/** The one value that `data` holds. @param {Uint8Array} data @returns {Value} */
export function decode(data) {
  const [value, rest] = decodeHead(data);
  if (rest.length) throw new Unreadable("malformed");
  return value;
}

/** The first value, and the bytes after it. @param {Uint8Array} data @returns {[Value, Uint8Array]} */
export function decodeHead(data) {
  const reader = new Reader(data);
  const value = reader.value(DEEPEST);
  return [value, data.subarray(reader.at)];
}

/** @param {number} major @param {number} size */
function head(major, size) {
  if (size < 24) return [(major << 5) | size];
  const width = [1, 2, 4, 8].find((count) => size < 256 ** count) ?? 8;
  const digits = Array.from({ length: width }, (_, n) => Math.floor(size / 256 ** (width - 1 - n)) % 256);
  return [(major << 5) | (24 + Math.log2(width)), ...digits];
}

/** What we write: integers, text, bytes, arrays, true, false, null. @param {Value} value @returns {number[]} */
function written(value) {
  if (value === null) return [0xf6];
  if (typeof value === "boolean") return [value ? 0xf5 : 0xf4];
  if (typeof value === "number" && Number.isSafeInteger(value)) return value < 0 ? head(1, -1 - value) : head(0, value);
  if (value instanceof Uint8Array) return [...head(2, value.length), ...value];
  if (Array.isArray(value)) return [...head(4, value.length), ...value.flatMap(written)];
  if (typeof value !== "string") throw new Unreadable("malformed");
  const letters = bytes.encode(value);
  return [...head(3, letters.length), ...letters];
}

/** @param {Value} value */
export function encode(value) {
  return Uint8Array.from(written(value));
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** An id as it travels. @param {string} id @returns {Value} */
export function idToWire(id) {
  return UUID.test(id) ? Uint8Array.from(id.replaceAll("-", "").match(/../g) ?? [], (two) => parseInt(two, 16)) : id;
}

/** @param {Value | undefined} value @returns {string} */
export function idFromWire(value) {
  if (typeof value === "string") return value;
  if (!(value instanceof Uint8Array) || value.length !== 16) throw new Unreadable("malformed");
  return hex(value).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** @param {Uint8Array} data */
export function hex(data) {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
