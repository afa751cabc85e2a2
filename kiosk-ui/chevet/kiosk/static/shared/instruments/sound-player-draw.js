/** The sound on its canvas: waveform above, spectrogram below, what was recorded with it under both; one cursor through all. */

import { drawOverlay, LANE_PX, laneCount, NOTHING } from "./sound-player-over.js";
import { paint, TOP_HZ } from "./sound-player-spectrum.js";

/** @typedef {import("./sound-player-spectrum.js").Spectrum} Spectrum */
/** @typedef {import("./sound-player-over.js").Overlay} Overlay */

const COLOURS = { ground: "#0F1720", line: "#243240", sound: "#FFB454", text: "#E8EEF4", soft: "#93A4B5", loop: "rgba(53, 194, 255, 0.16)" };
const FONT = '600 12px "Noto Sans", "Noto Sans Arabic", system-ui, sans-serif';
const LEFT = 58;
const FOOT = 18;

/**
 * @param {number} width CSS px
 * @param {number} height CSS px
 * @param {number} [count] lanes under the spectrogram
 * @returns {{left: number, width: number, wave: {y: number, height: number}, spec: {y: number, height: number}, lanes: number}}
 */
export function boxes(width, height, count = 0) {
  const upper = height - count * LANE_PX;
  const wave = { y: 0, height: Math.round((upper - FOOT) * 0.42) };
  const spec = { y: wave.height + 4, height: upper - FOOT - wave.height - 4 };
  return { left: LEFT, width: width - LEFT - 6, wave, spec, lanes: upper };
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} width
 * @param {number} height
 * @param {{sound: Float32Array, spectrum: Spectrum, duration_s: number}} what
 * @param {Overlay} [overlay]
 * @param {{draft: string, envelope: string, noise: string}} [words]
 */
export function drawStill(ctx, width, height, { sound, spectrum, duration_s }, overlay = NOTHING, words = { draft: "", envelope: "", noise: "" }) {
  ctx.fillStyle = COLOURS.ground;
  ctx.fillRect(0, 0, width, height);
  const box = boxes(width, height, laneCount(overlay));
  paint(ctx, spectrum, duration_s, { x: box.left, y: box.spec.y, width: box.width, height: box.spec.height });
  drawWave(ctx, sound, box);
  drawAxes(ctx, box, duration_s);
  drawOverlay(ctx, overlay, box, duration_s, words);
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Float32Array} sound
 * @param {ReturnType<typeof boxes>} box
 */
function drawWave(ctx, sound, { left, width, wave }) {
  const middle = wave.y + wave.height / 2;
  let peak = 1e-6;
  for (const value of sound) peak = Math.max(peak, Math.abs(value));
  ctx.fillStyle = COLOURS.sound;
  for (let x = 0; x < width; x++) {
    const [from, to] = [Math.floor((x / width) * sound.length), Math.floor(((x + 1) / width) * sound.length)];
    let [low, high] = [0, 0];
    for (let i = from; i < to; i++) {
      low = Math.min(low, sound[i]);
      high = Math.max(high, sound[i]);
    }
    const top = middle - (high / peak) * (wave.height / 2 - 4);
    ctx.fillRect(left + x, top, 1, Math.max(1, ((high - low) / peak) * (wave.height / 2 - 4)));
  }
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {ReturnType<typeof boxes>} box
 * @param {number} duration_s
 */
function drawAxes(ctx, { left, width, spec }, duration_s) {
  ctx.font = FONT;
  ctx.fillStyle = COLOURS.soft;
  ctx.textBaseline = "middle";
  ctx.textAlign = "right";
  for (const hz of [200, 500, TOP_HZ]) {
    const y = spec.y + spec.height * (1 - hz / TOP_HZ);
    ctx.fillText(hz === TOP_HZ ? `${hz} Hz` : String(hz), left - 6, Math.max(spec.y + 6, y));
    ctx.fillRect(left - 4, y, 4, 1);
  }
  ctx.textAlign = "center";
  const step = duration_s > 20 ? 5 : duration_s > 8 ? 2 : 1;
  for (let s = 0; s <= duration_s; s += step) {
    const x = left + (s / duration_s) * width;
    ctx.fillRect(x, spec.y + spec.height, 1, 4);
    ctx.fillText(`${s} s`, Math.min(left + width - 8, Math.max(left + 10, x)), spec.y + spec.height + 11);
  }
}

/**
 * Cursor, loop and the words of the filter, on the canvas above.
 *
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} width
 * @param {number} height
 * @param {{at_s: number, duration_s: number, loop: {from_s: number, to_s: number} | null, label: string}} now
 */
export function drawMoving(ctx, width, height, { at_s, duration_s, loop, label }) {
  ctx.clearRect(0, 0, width, height);
  const { left, width: wide, wave } = boxes(width, height);
  const x = (/** @type {number} */ s) => left + (s / duration_s) * wide;
  if (loop) {
    ctx.fillStyle = COLOURS.loop;
    ctx.fillRect(x(loop.from_s), wave.y, x(loop.to_s) - x(loop.from_s), height);
  }
  ctx.font = FONT;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.fillStyle = "rgba(15, 23, 32, 0.78)";
  ctx.fillRect(left + 4, 4, ctx.measureText(label).width + 12, 20);
  ctx.fillStyle = COLOURS.text;
  ctx.fillText(label, left + 10, 14.5);
  ctx.fillStyle = "#FFFFFF";
  ctx.fillRect(x(at_s) - 1, wave.y, 2, height);
}
