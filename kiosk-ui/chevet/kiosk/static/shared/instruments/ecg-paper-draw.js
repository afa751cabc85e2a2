/** Drawing of the ECG paper: every function takes a context whose unit is the CSS pixel and a scale in px per mm. */

import { nameAt } from "./ecg-paper-layout.js";
import { stretches } from "./ecg-paper-wave.js";

/** @typedef {import("./ecg-paper-layout.js").Page} Page */
/** @typedef {import("./ecg-paper-layout.js").Panel} Panel */
/** @typedef {import("./ecg-paper-wave.js").Wave} Wave */
/** @typedef {import("./ecg-paper-caliper.js").Span} Span */

/** The paper keeps its colours by day and by night: it is a document, not a screen. */
export const INK = {
  ground: "#FFFAF8",
  fine: "#F8DAD5",
  bold: "#E79A90",
  trace: "#1B1B1B",
  text: "#14213D",
  soft: "#5B6478",
  measure: "#1D4E89",
  warn: "#7A4B00",
  warnGround: "#FFF1CC",
  training: "rgba(20, 33, 61, 0.11)",
};
export const FONT = '"Noto Sans", "Noto Sans Arabic", system-ui, sans-serif';

/**
 * Grid of 1 mm and 5 mm. Each line is set on a device pixel by itself, so that rounding never adds up.
 *
 * @param {CanvasRenderingContext2D} ctx
 * @param {Page} page
 * @param {number} scale px per mm
 * @param {number} ratio device pixels per CSS pixel
 */
export function drawGrid(ctx, page, scale, ratio) {
  ctx.fillStyle = INK.ground;
  ctx.fillRect(0, 0, page.width_mm * scale, page.height_mm * scale);
  const snap = (/** @type {number} */ mm) => (Math.round(mm * scale * ratio) + 0.5) / ratio;
  for (const bold of [false, true]) {
    ctx.beginPath();
    ctx.strokeStyle = bold ? INK.bold : INK.fine;
    ctx.lineWidth = 1 / ratio;
    for (let mm = 0; mm <= page.width_mm; mm++) {
      if ((mm % 5 === 0) !== bold) continue;
      ctx.moveTo(snap(mm), 0);
      ctx.lineTo(snap(mm), page.height_mm * scale);
    }
    for (let mm = 0; mm <= page.height_mm; mm++) {
      if ((mm % 5 === 0) !== bold) continue;
      ctx.moveTo(0, snap(mm));
      ctx.lineTo(page.width_mm * scale, snap(mm));
    }
    ctx.stroke();
  }
}

/**
 * The calibration pulse of each row.
 *
 * @param {CanvasRenderingContext2D} ctx
 * @param {Page} page
 * @param {number} scale px per mm
 */
export function drawPulses(ctx, page, scale) {
  traceStyle(ctx, scale);
  ctx.beginPath();
  for (const { x_mm, y_mm, width_mm, height_mm } of page.pulses) {
    ctx.moveTo((x_mm - 2.5) * scale, y_mm * scale);
    ctx.lineTo(x_mm * scale, y_mm * scale);
    ctx.lineTo(x_mm * scale, (y_mm - height_mm) * scale);
    ctx.lineTo((x_mm + width_mm) * scale, (y_mm - height_mm) * scale);
    ctx.lineTo((x_mm + width_mm) * scale, y_mm * scale);
    ctx.lineTo((x_mm + width_mm + 2.5) * scale, y_mm * scale);
  }
  ctx.stroke();
}

/**
 * One lead in its panel: name, column tick, trace, gaps.
 *
 * @param {CanvasRenderingContext2D} ctx
 * @param {Panel} panel
 * @param {Wave} wave filtered for display
 * @param {{scale: number, speed_mm_s: number, gain_mm_mv: number, row_mm: number, gapWord: string}} how
 */
export function drawPanel(ctx, panel, wave, how) {
  const { scale, speed_mm_s, gain_mm_mv } = how;
  const lead = wave.leads.find((one) => one.name === panel.lead);
  drawName(ctx, panel, how);
  if (!lead) return;
  const first = Math.max(0, Math.ceil(panel.from_s * wave.rate_hz));
  const last = Math.min(wave.samples, Math.floor((panel.from_s + panel.width_mm / speed_mm_s) * wave.rate_hz) + 1);
  const x = (/** @type {number} */ i) => (panel.x_mm + (i / wave.rate_hz - panel.from_s) * speed_mm_s) * scale;
  traceStyle(ctx, scale);
  ctx.beginPath();
  for (const [from, to] of stretches(wave.samples, wave.gaps)) {
    for (let i = Math.max(from, first); i < Math.min(to, last); i++) {
      const y = (panel.y_mm - panel.sign * lead.values[i] * gain_mm_mv) * scale;
      if (i === Math.max(from, first)) ctx.moveTo(x(i), y);
      else ctx.lineTo(x(i), y);
    }
  }
  ctx.stroke();
  for (const [from, count] of wave.gaps) {
    const left = Math.max(from, first);
    const right = Math.min(from + count, last);
    if (right > left) drawGap(ctx, x(left), x(right), panel, how);
  }
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Panel} panel
 * @param {{scale: number, row_mm: number}} how
 */
function drawName(ctx, panel, { scale, row_mm }) {
  ctx.fillStyle = INK.text;
  ctx.font = `600 ${Math.max(11, 3.4 * scale)}px ${FONT}`;
  ctx.textBaseline = "alphabetic";
  ctx.textAlign = "left";
  const { x_mm, y_mm } = nameAt(panel, row_mm);
  ctx.fillText(panel.sign < 0 ? `\u2212${panel.lead}` : panel.lead, x_mm * scale, y_mm * scale);
  ctx.strokeStyle = INK.trace;
  ctx.lineWidth = 1;
  ctx.beginPath();
  ctx.moveTo(panel.x_mm * scale, (panel.y_mm - 2.5) * scale);
  ctx.lineTo(panel.x_mm * scale, (panel.y_mm + 2.5) * scale);
  ctx.stroke();
}

/**
 * A gap is drawn as a hatched gap, never bridged by a line.
 *
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} left px
 * @param {number} right px
 * @param {Panel} panel
 * @param {{scale: number, row_mm: number, gapWord: string}} how
 */
function drawGap(ctx, left, right, panel, { scale, row_mm, gapWord }) {
  const top = (panel.y_mm - row_mm * 0.3) * scale;
  const height = row_mm * 0.6 * scale;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, right - left, height);
  ctx.fillStyle = INK.warnGround;
  ctx.fill();
  ctx.clip();
  ctx.strokeStyle = INK.warn;
  ctx.globalAlpha = 0.55;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (let x = left - height; x < right; x += 6) {
    ctx.moveTo(x, top + height);
    ctx.lineTo(x + height, top);
  }
  ctx.stroke();
  ctx.restore();
  ctx.fillStyle = INK.warn;
  ctx.font = `600 11px ${FONT}`;
  ctx.textAlign = "left";
  ctx.fillText(gapWord, left, top + height + 12);
}

/**
 * What holds for the whole page, printed on it so that no screenshot loses it.
 *
 * @param {CanvasRenderingContext2D} ctx
 * @param {Page} page
 * @param {number} scale px per mm
 * @param {string[]} facts plain, such as "25 mm/s"
 * @param {string[]} warnings printed on the warning ground
 */
export function drawFoot(ctx, page, scale, facts, warnings) {
  const y = (page.height_mm - 3) * scale;
  let x = 5 * scale;
  ctx.font = `600 12px ${FONT}`;
  ctx.textBaseline = "alphabetic";
  ctx.textAlign = "left";
  for (const warning of warnings) {
    const width = ctx.measureText(warning).width;
    ctx.fillStyle = INK.warnGround;
    ctx.fillRect(x - 5, y - 14, width + 10, 20);
    ctx.fillStyle = INK.warn;
    ctx.fillText(warning, x, y);
    x += width + 18;
  }
  // Each fact keeps its own direction: a word in Arabic must not turn the figures beside it.
  const text = facts.map((fact) => `\u2068${fact}\u2069`).join("  ·  ");
  ctx.fillStyle = INK.ground;
  ctx.fillRect(x - 5, y - 14, ctx.measureText(text).width + 10, 20);
  ctx.fillStyle = INK.text;
  ctx.fillText(text, x, y);
}

/**
 * The label of simulated or training data, across the page.
 *
 * @param {CanvasRenderingContext2D} ctx
 * @param {Page} page
 * @param {number} scale px per mm
 * @param {string} word
 */
export function drawWatermark(ctx, page, scale, word) {
  ctx.save();
  ctx.fillStyle = INK.training;
  ctx.font = `700 ${26 * scale}px ${FONT}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(word, (page.width_mm / 2) * scale, (page.height_mm / 2) * scale);
  ctx.restore();
}

/**
 * The calipers' box with its caption, and faint lines at its distance (march-out).
 *
 * @param {CanvasRenderingContext2D} ctx
 * @param {Page} page
 * @param {number} scale px per mm
 * @param {Span} span
 * @param {string} text
 * @param {boolean} march
 */
export function drawCaliper(ctx, page, scale, span, text, march) {
  const [left, right] = [Math.min(span.x0_mm, span.x1_mm) * scale, Math.max(span.x0_mm, span.x1_mm) * scale];
  const [top, bottom] = [Math.min(span.y0_mm, span.y1_mm) * scale, Math.max(span.y0_mm, span.y1_mm) * scale];
  ctx.strokeStyle = INK.measure;
  ctx.fillStyle = "rgba(29, 78, 137, 0.10)";
  ctx.lineWidth = 1.25;
  ctx.fillRect(left, top, right - left, bottom - top);
  ctx.strokeRect(left, top, right - left, bottom - top);
  if (march && right - left > 8) drawMarch(ctx, page, scale, left, right, (top + bottom) / 2);
  ctx.font = `600 13px ${FONT}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  const width = ctx.measureText(text).width + 16;
  const x = Math.max(2, Math.min((left + right - width) / 2, page.width_mm * scale - width - 2));
  const y = top > 34 ? top - 28 : bottom + 6;
  ctx.fillStyle = "#FFFFFF";
  ctx.beginPath();
  ctx.roundRect(x, y, width, 22, 11);
  ctx.fill();
  ctx.stroke();
  ctx.fillStyle = INK.measure;
  ctx.fillText(text, x + 8, y + 11.5);
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Page} page
 * @param {number} scale
 * @param {number} left px
 * @param {number} right px
 * @param {number} middle px
 */
function drawMarch(ctx, page, scale, left, right, middle) {
  ctx.save();
  ctx.setLineDash([3, 4]);
  ctx.beginPath();
  const step = right - left;
  const mark = (/** @type {number} */ x) => {
    ctx.moveTo(x, middle - 30);
    ctx.lineTo(x, middle + 30);
  };
  for (let x = left - step; x > 0; x -= step) mark(x);
  for (let x = right + step; x < page.width_mm * scale; x += step) mark(x);
  ctx.stroke();
  ctx.restore();
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} scale
 */
function traceStyle(ctx, scale) {
  ctx.strokeStyle = INK.trace;
  ctx.lineWidth = Math.max(1.1, 0.32 * scale);
  ctx.lineJoin = "round";
  ctx.lineCap = "round";
}
