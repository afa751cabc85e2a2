/** The pulse wave on the monitor's ground: time from left to right in every language, gaps left open. */

import { stretches } from "/shared/instruments/ecg-paper-wave.js";

/** @typedef {import("/shared/instruments/ecg-paper-wave.js").Wave} Wave */

const COLOURS = { ground: "#0F1720", line: "#35C2FF", text: "#93A4B5", tick: "#243240" };
const FOOT_PX = 20;

/** @param {HTMLCanvasElement} canvas @param {Wave} wave the first channel is drawn, at its own full height */
export function drawPleth(canvas, wave) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = Math.round(width * devicePixelRatio);
  canvas.height = Math.round(height * devicePixelRatio);
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  ctx.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  ctx.fillStyle = COLOURS.ground;
  ctx.fillRect(0, 0, width, height);
  const duration_s = wave.samples / wave.rate_hz;
  drawSeconds(ctx, width, height, duration_s);
  const values = wave.leads[0]?.values ?? new Float32Array();
  let [low, high] = [Infinity, -Infinity];
  const there = stretches(values.length, wave.gaps);
  for (const [from, to] of there) {
    for (let i = from; i < to; i++) {
      low = Math.min(low, values[i]);
      high = Math.max(high, values[i]);
    }
  }
  const y = (/** @type {number} */ value) => 8 + (1 - (value - low) / (high - low || 1)) * (height - FOOT_PX - 16);
  ctx.beginPath();
  for (const [from, to] of there) {
    for (let i = from; i < to; i++) {
      const x = (i / values.length) * width;
      if (i === from) ctx.moveTo(x, y(values[i]));
      else ctx.lineTo(x, y(values[i]));
    }
  }
  ctx.strokeStyle = COLOURS.line;
  ctx.lineWidth = 1.8;
  ctx.lineJoin = "round";
  ctx.stroke();
}

/** @param {CanvasRenderingContext2D} ctx @param {number} width @param {number} height @param {number} duration_s */
function drawSeconds(ctx, width, height, duration_s) {
  ctx.direction = "ltr";
  ctx.font = '12px "Noto Sans", system-ui, sans-serif';
  ctx.textAlign = "left";
  const step = duration_s > 30 ? 10 : 2;
  for (let s = 0; s < duration_s; s += step) {
    const x = (s / duration_s) * width;
    ctx.fillStyle = COLOURS.tick;
    ctx.fillRect(x, 0, 1, height - FOOT_PX + 4);
    ctx.fillStyle = COLOURS.text;
    ctx.fillText(`${s} s`, x + 3, height - 6);
  }
}
