/** Layer 0 read in the browser (docs/formats.md, section 2, version 2): who, what is asked, what was recorded. */

import { decode, idFromWire, Unreadable } from "/desk/sealed-cbor.js";
import { joined } from "/desk/sealed.js";

/** @typedef {{score: number, usable: boolean, reasons: string[]}} Quality */
/** @typedef {{kind: string, unit: string, source: string, value: number | null, quality: Quality}} Vital */
/** @typedef {{kind: string, unit: string, method: string, value: number | null}} Measurement */
/** @typedef {{id: string, step: string, driver: string, site: string, side: string, durationS: number, lost: number, simulated: boolean, acceptedPoor: boolean, quality: Quality, measurements: Measurement[]}} Recording */
/** @typedef {{id: string, site: string, worker: string, reason: string, question: string, specialty: string, urgency: string, language: string, label: string, closedMs: number, patient: {name: string, birthYear: number | null, sex: string, number: string}, purposes: string[], recordings: Recording[], vitals: Vital[], notes: Record<string, string>}} Study */

const LARGEST = 1 << 20;
const VERSION = 2;

/** DEFLATE with a preset dictionary, which browsers do not offer: as a stored block before the rest it is the same window. @param {Uint8Array} data @param {Uint8Array} dictionary at most 65,535 bytes */
async function inflated(data, dictionary) {
  const size = dictionary.length;
  const block = Uint8Array.of(0, size & 255, size >> 8, ~size & 255, (~size >> 8) & 255);
  const reader = new Blob([joined(block, dictionary, data)]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const pieces = [];
  for (let total = 0; ; ) {
    const { done, value } = await reader.read().catch(() => {
      throw new Unreadable("summary_damaged");
    });
    if (done) return joined(...pieces).subarray(size);
    total += value.length;
    if (total > LARGEST + size) {
      await reader.cancel();
      throw new Unreadable("summary_damaged");
    }
    pieces.push(value);
  }
}

/** @param {any} value @returns {number | null} */
function decimal(value) {
  if (value === null) return null;
  if (typeof value !== "number") throw new Unreadable("malformed");
  return Number.isInteger(value) ? Math.floor(value / 4) / 10 ** (((value % 4) + 4) % 4) : value;
}

/** @param {any} value @param {number} count @returns {any[]} */
function column(value, count) {
  if (!Array.isArray(value)) return Array(count).fill(value);
  if (value.length !== count) throw new Unreadable("malformed");
  return value;
}

/** @param {any} row @returns {Quality} */
function quality([score, usable, ...reasons]) {
  return { score: decimal(score) ?? 0, usable: usable === true, reasons };
}

/** @param {any} row @returns {Measurement[]} */
function measurements([kinds, units, methods, values]) {
  if (!kinds) return [];
  const [unit, method] = [column(units, kinds.length), column(methods, kinds.length)];
  return kinds.map((/** @type {string} */ kind, /** @type {number} */ n) => ({ kind, unit: unit[n], method: method[n], value: decimal(values[n]) }));
}

/** @param {any} row @returns {Recording} */
function recording([id, , flags, step, driver, , site, side, [duration, lost], mark, , , , , drafts]) {
  return {
    id: idFromWire(id), step, driver, site, side, lost, durationS: decimal(duration) ?? 0,
    simulated: (flags & 2) === 2, acceptedPoor: (flags & 1) === 1, quality: quality(mark), measurements: measurements(drafts),
  };
}

/** @param {any} row @returns {Vital[]} */
function vitals([kinds, units, sources, values, , , marks]) {
  return (kinds ?? []).map((/** @type {string} */ kind, /** @type {number} */ n) => ({ kind, unit: units[n], source: sources[n], value: decimal(values[n]), quality: quality(marks[n]) }));
}

/** @param {Uint8Array} part the summary @param {Uint8Array} dictionary of version 2 @returns {Promise<Study>} */
export async function readSummary(part, dictionary) {
  if (part[0] !== VERSION) throw new Unreadable("summary_version");
  const row = decode(await inflated(part.subarray(1), dictionary));
  try {
    return study(row);
  } catch {
    throw new Unreadable("malformed");
  }
}

/** @param {any} row @returns {Study} */
function study([ids, words, closed, patient, consent, recordings, measured, notes]) {
  const [reason, question, specialty, urgency, language, label] = words;
  const [, name, birthYear, sex, number] = patient;
  return {
    id: idFromWire(ids[0]), site: ids[1], worker: idFromWire(ids[2]), reason, question, specialty, urgency, language, label,
    closedMs: closed[0], patient: { name, birthYear, sex, number }, purposes: consent[0],
    recordings: recordings.map(recording), vitals: vitals(measured), notes,
  };
}
