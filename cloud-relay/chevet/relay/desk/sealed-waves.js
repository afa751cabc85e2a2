/** The exact waveforms of an opened part (docs/formats.md, section 3) as the instruments take them. */

import { readWave } from "/shared/instruments/ecg-paper-wave.js";
import { decode } from "/desk/sealed-cbor.js";
import { damaged } from "/desk/sealed-tokens.js";
import { decodeWaveform } from "/desk/sealed-waveform.js";
import { joined, utf8 } from "/desk/sealed.js";

/** @typedef {import("/shared/instruments/ecg-paper-wave.js").Wave} Wave */
/** @typedef {[string, string, number, number, number]} Channel name, unit, rate in Hz, gain, offset */
/** @typedef {{channels: Channel[], gaps: [number, number][], bits: 16 | 32, rows: Int32Array[]}} Exact */

/** Sound is what has no physical unit and is fast enough for the ear, as the box says it. */
const SOUND_FROM_HZ = 2000;

/** @param {Uint8Array} part @returns {Exact[]} */
export function exactWaves(part) {
  const rows = decode(part);
  if (!Array.isArray(rows)) damaged();
  return /** @type {any[]} */ (rows).map(([[channels, count, gaps, width = 2], blob]) => {
    if (!(blob instanceof Uint8Array)) damaged();
    const found = decodeWaveform(blob);
    if (found.rows.length !== channels.length || found.bits !== 8 * width || found.rows.some((row) => row.length !== count)) damaged();
    return { ...found, channels, gaps };
  });
}

/** @param {{channels: Channel[]}} waveform */
export function isSound({ channels }) {
  return channels.length > 0 && channels.every(([, unit, rate]) => unit === "1" && rate >= SOUND_FROM_HZ);
}

/** For the paper and the pulse wave: by the frame that the relay would send of what it can open. @param {Exact} exact @param {"lossless" | "preview"} [layer] @returns {Wave} */
export function waveOf({ channels, gaps, bits, rows }, layer = "lossless") {
  const [, unit, rate_hz] = /** @type {Channel} */ (channels[0]);
  const named = channels.map(([name, , , gain, offset]) => ({ name, gain, offset }));
  const header = { rate_hz, unit, first: 0, count: rows[0]?.length ?? 0, bytes: bits / 8, channels: named, gaps, layer };
  const text = utf8(JSON.stringify(header));
  const padded = joined(text, new Uint8Array(-text.length & 3).fill(0x20));
  const samples = rows.map((row) => new Uint8Array((bits === 16 ? Int16Array.from(row) : row).buffer));
  return readWave(joined(Uint8Array.of(1, 1, padded.length & 255, padded.length >> 8), padded, ...samples).buffer);
}

const TOLD = 1e-3;

/** For the ear: WAV of the first channel, of 16 bits or 32, loud as the box's own is. @param {Exact} exact @returns {Uint8Array<ArrayBuffer>} */
export function wavOf({ channels, rows }) {
  const [, , rate, gain] = /** @type {Channel} */ (channels[0]);
  const samples = rows[0] ?? new Int32Array();
  const needed = [16, 24, 32].find((bits) => samples.every((value) => value >= -(2 ** (bits - 1)) && value < 2 ** (bits - 1))) ?? 32;
  const told = [16, 24, 32].find((bits) => Math.abs(gain * 2 ** (bits - 1) - 1) < TOLD) ?? 16;
  const full = Math.max(needed, told);
  const width = full === 16 ? 2 : 4;
  const data = width === 2 ? Int16Array.from(samples) : samples.map((value) => value << (32 - full));
  const head = new DataView(new ArrayBuffer(44));
  const write = (/** @type {number} */ at, /** @type {string} */ text) => utf8(text).forEach((byte, n) => head.setUint8(at + n, byte));
  const hz = Math.max(Math.round(rate), 1);
  write(0, "RIFF");
  head.setUint32(4, 36 + data.byteLength, true);
  write(8, "WAVEfmt ");
  head.setUint32(16, 16, true);
  head.setUint16(20, 1, true);
  head.setUint16(22, 1, true);
  head.setUint32(24, hz, true);
  head.setUint32(28, hz * width, true);
  head.setUint16(32, width, true);
  head.setUint16(34, 8 * width, true);
  write(36, "data");
  head.setUint32(40, data.byteLength, true);
  return joined(new Uint8Array(head.buffer), new Uint8Array(data.buffer));
}
