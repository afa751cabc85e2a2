/** What of a case is read by its panes: the addresses to keep, and about how large they are. */

import { bestLayer } from "/desk/say.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {import("/desk/types.js").DeskRecording} DeskRecording */

/** Draft marks of a recording, as JSON. */
const MARKS_BYTES = 20_000;
/** One picture of a clip, as the desk is given it. */
const FRAME_BYTES = 30_000;
/** Frames of a clip for each second of it, at most. */
const FRAMES_PER_S = 10;
/** Steps whose recordings are pictures. */
const SEEN = ["otoscopy", "photo"];

/** @param {string} id of a case */
export const bookOf = (id) => [`/api/cases/${id}`, `/api/cases/${id}/delivery`, `/api/cases/${id}/earlier`];

/** Addresses of one recording in the best layer that is here. @param {string} id of the case @param {DeskRecording} recording @returns {string[]} */
function pathsOf(id, recording) {
  const layer = bestLayer(recording);
  const here = `/api/cases/${id}/recordings/${recording.id}`;
  const whole = layer === "lossless";
  const marks = whole ? [`${here}/marks`] : [];
  if (!layer) return [];
  if (recording.step === "ecg") return [`${here}/waveform?layer=${layer}`, ...marks];
  if (recording.step === "oximetry") return [`${here}/waveform?layer=${layer}`];
  if (SEEN.includes(recording.step)) return pictures(here, recording, layer);
  const beside = whole ? (recording.streams ?? []).slice(1).map((_, n) => `${here}/waveform?layer=lossless&number=${n + 1}`) : [];
  return [`${here}/sound?layer=${layer}`, ...marks, ...beside];
}

/** @param {string} here @param {DeskRecording} recording @param {string} layer */
function pictures(here, recording, layer) {
  const best = Math.max(0, recording.pictures.findIndex((picture) => picture.best));
  if (layer === "preview") return [`${here}/pictures/${best}?layer=preview`];
  const stills = recording.pictures.map((_, n) => `${here}/pictures/${n}?layer=${layer}`);
  return [...stills, ...(recording.clip ? [`${here}/clip`, `${here}/clip/frames`] : [])];
}

/** Every address of a case. @param {DeskCase} one @returns {string[]} */
export function allPaths(one) {
  const voices = [...one.messages, ...one.opinions].flatMap((said) => (said.voice ? [`/api/cases/${one.id}/voices/${said.voice.id}`] : []));
  return [...bookOf(one.id), ...one.recordings.flatMap((recording) => pathsOf(one.id, recording)), ...voices];
}

/** The addresses that an answer names in its turn: the pictures of a clip. @param {string} path @param {string} type @param {ArrayBuffer} bytes @returns {string[]} */
export function namedIn(path, type, bytes) {
  if (!path.endsWith("/clip/frames") || !type.includes("json")) return [];
  const { seconds } = JSON.parse(new TextDecoder().decode(bytes));
  return seconds.map((/** @type {number} */ _, /** @type {number} */ n) => `${path}/${n}`);
}

/** About how many bytes a case takes here, before it was fetched. @param {DeskCase} one */
export function estimate(one) {
  return one.recordings.reduce((sum, recording) => sum + sizeOf(recording), 40_000);
}

/** What is here of a case, to tell later whether more came: no word of it. @param {DeskCase} one */
export function stampOf(one) {
  const layers = one.recordings.flatMap((recording) => Object.values(recording.layers).map(({ have }) => have));
  return [...layers, one.messages.length, one.opinions.length].join(" ");
}

/** @param {DeskRecording} recording */
function sizeOf(recording) {
  const layer = bestLayer(recording);
  if (!layer) return 0;
  if (SEEN.includes(recording.step)) {
    const stills = recording.pictures.reduce((sum, picture) => sum + picture.bytes, 0);
    const clip = recording.clip ? recording.clip.bytes + recording.clip.seconds * FRAMES_PER_S * FRAME_BYTES : 0;
    return layer === "preview" ? recording.layers["1"].bytes : stills + clip;
  }
  if (layer !== "lossless") return Math.max(recording.layers["1"]?.bytes ?? 0, recording.layers["2"]?.bytes ?? 0) + MARKS_BYTES;
  const streams = recording.streams ?? [{ unit: "", rate_hz: 0, names: [""] }];
  const samples = streams.reduce((sum, { names, rate_hz }) => sum + names.length * (rate_hz ? rate_hz * recording.duration_s : recording.samples), 0);
  return 2 * samples + MARKS_BYTES;
}
