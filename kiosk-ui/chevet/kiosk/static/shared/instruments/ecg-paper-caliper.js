/**
 * The calipers: two corners on the paper, in millimetres of paper, and what lies between them.
 *
 * Millimetres survive every resize and zoom; times and voltages follow from speed and gain alone.
 */

/** @typedef {{x0_mm: number, y0_mm: number, x1_mm: number, y1_mm: number}} Span */

/** @typedef {{ms: number, per_min: number | null, mv: number}} Measured */

/**
 * @param {Span} span
 * @param {number} speed_mm_s
 * @param {number} gain_mm_mv
 * @returns {Measured} unsigned time; mV positive when the second corner is above the first
 */
export function measured(span, speed_mm_s, gain_mm_mv) {
  const ms = (Math.abs(span.x1_mm - span.x0_mm) / speed_mm_s) * 1000;
  const mv = (span.y0_mm - span.y1_mm) / gain_mm_mv;
  return { ms, per_min: ms >= 100 ? 60000 / ms : null, mv };
}

/**
 * What is printed beside the box. A rate is left out below 100 ms, where no heart beats.
 *
 * @param {Measured} value
 * @returns {string} such as "720 ms · 83 /min · 0.40 mV"
 */
export function caption({ ms, per_min, mv }) {
  const parts = [`${Math.round(ms)} ms`];
  if (per_min !== null) parts.push(`${Math.round(per_min)} /min`);
  parts.push(`${mv.toFixed(2)} mV`);
  return parts.join(" · ");
}

/**
 * Which corner a press takes hold of.
 *
 * @param {Span | null} span
 * @param {number} x_mm
 * @param {number} reach_mm
 * @returns {"start" | "end" | "new"}
 */
export function grip(span, x_mm, reach_mm) {
  if (!span) return "new";
  if (Math.abs(span.x1_mm - x_mm) <= reach_mm) return "end";
  if (Math.abs(span.x0_mm - x_mm) <= reach_mm) return "start";
  return "new";
}

/**
 * One step by keyboard.
 *
 * @param {Span} span
 * @param {"start" | "end"} corner
 * @param {string} key an arrow key's name
 * @param {number} step_mm
 * @returns {Span}
 */
export function stepped(span, corner, key, step_mm) {
  const dx = key === "ArrowRight" ? step_mm : key === "ArrowLeft" ? -step_mm : 0;
  const dy = key === "ArrowDown" ? step_mm : key === "ArrowUp" ? -step_mm : 0;
  return corner === "end"
    ? { ...span, x1_mm: span.x1_mm + dx, y1_mm: span.y1_mm + dy }
    : { ...span, x0_mm: span.x0_mm + dx, y0_mm: span.y0_mm + dy };
}
