/**
 * Draft marks on the ECG paper: where P, QRS and T begin and end. Thin, in the colour of measurements, and
 * switched off by a touch; a letter is left out where it would not fit its wave.
 */

import { FONT, INK } from "./ecg-paper-draw.js";

/** @typedef {import("./ecg-paper-layout.js").Page} Page */
/** @typedef {import("./ecg-paper-layout.js").Panel} Panel */

/**
 * @typedef {object} Marks samples of the wave, -1 where a wave is absent; one entry a beat
 * @property {number} rate_hz
 * @property {Record<"p_on" | "p_peak" | "p_off" | "qrs_on" | "qrs_peak" | "qrs_off" | "t_on" | "t_peak" | "t_off", number[]>} waves
 */

/** Name, beginning, end: what is shaded, and its letter. @type {[string, keyof Marks["waves"], keyof Marks["waves"]][]} */
const WAVES = [["P", "p_on", "p_off"], ["QRS", "qrs_on", "qrs_off"], ["T", "t_on", "t_off"]];
/** A T wave's beginning is often left open: then its mark stands at its end alone. */
const TINT = "rgba(29, 78, 137, 0.13)";
const HALF_MM = 5;

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Page} page
 * @param {Marks} marks
 * @param {{scale: number, speed_mm_s: number}} how
 */
export function drawMarks(ctx, page, marks, how) {
  for (const panel of page.panels) {
    for (const [letter, begin, end] of WAVES) {
      marks.waves[begin].forEach((on, beat) => drawWave(ctx, panel, [on, marks.waves[end][beat]], letter, marks.rate_hz, how));
    }
  }
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Panel} panel
 * @param {[number, number]} samples beginning and end
 * @param {string} letter
 * @param {number} rate_hz
 * @param {{scale: number, speed_mm_s: number}} how
 */
function drawWave(ctx, panel, [on, off], letter, rate_hz, { scale, speed_mm_s }) {
  const place = (/** @type {number} */ sample) => (panel.x_mm + (sample / rate_hz - panel.from_s) * speed_mm_s) * scale;
  const inside = (/** @type {number} */ sample) => sample >= 0 && sample / rate_hz >= panel.from_s && sample / rate_hz <= panel.from_s + panel.width_mm / speed_mm_s;
  const [top, bottom] = [(panel.y_mm - HALF_MM) * scale, (panel.y_mm + HALF_MM) * scale];
  if (inside(on) && inside(off)) {
    ctx.fillStyle = TINT;
    ctx.fillRect(place(on), top, place(off) - place(on), bottom - top);
    ctx.fillStyle = INK.measure;
    ctx.font = `600 ${Math.max(9, 2.3 * scale)}px ${FONT}`;
    ctx.textAlign = "center";
    ctx.textBaseline = "top";
    if (ctx.measureText(letter).width <= place(off) - place(on) + 2) ctx.fillText(letter, (place(on) + place(off)) / 2, bottom + 2);
  }
  ctx.strokeStyle = INK.measure;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (const edge of [on, off].filter(inside)) {
    ctx.moveTo(place(edge), top);
    ctx.lineTo(place(edge), bottom);
  }
  ctx.stroke();
}
