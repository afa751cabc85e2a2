/**
 * Where everything stands on the ECG paper, in millimetres of paper. Pure: no canvas, no screen.
 *
 * The page holds 10 s. In 3x4 and 6x2 the columns follow each other in time, so all leads are simultaneous
 * with the rhythm strip below them.
 */

/** @typedef {"3x4" | "6x2" | "12x1"} LayoutName */

/**
 * @typedef {object} Panel one lead's stretch of paper
 * @property {string} lead
 * @property {number} x_mm left edge
 * @property {number} y_mm baseline
 * @property {number} width_mm
 * @property {number} from_s first second shown
 */

/**
 * @typedef {object} Page
 * @property {number} width_mm
 * @property {number} height_mm
 * @property {number} row_mm
 * @property {Panel[]} panels
 * @property {{x_mm: number, y_mm: number, width_mm: number, height_mm: number}[]} pulses foot of the rising edge
 */

export const PAGE_S = 10;
export const PULSE_S = 0.2;
export const PULSE_MV = 1;
/** Left margin before the pulse rises, and between its fall and the trace. */
const MARGIN_MM = 5;
const FOOT_MM = 10;

export const STANDARD_LEADS = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"];

/** @type {Record<LayoutName, {columns: string[][], rhythm: string[], row_mm: number}>} */
const FORMS = {
  "3x4": {
    columns: [
      ["I", "II", "III"],
      ["aVR", "aVL", "aVF"],
      ["V1", "V2", "V3"],
      ["V4", "V5", "V6"],
    ],
    rhythm: ["II"],
    row_mm: 30,
  },
  "6x2": {
    columns: [
      ["I", "II", "III", "aVR", "aVL", "aVF"],
      ["V1", "V2", "V3", "V4", "V5", "V6"],
    ],
    rhythm: [],
    row_mm: 25,
  },
  "12x1": { columns: [STANDARD_LEADS], rhythm: [], row_mm: 20 },
};

/**
 * Lay out one page.
 *
 * @param {LayoutName} name
 * @param {string[]} leads names the wave has; with other than the twelve, each gets a row of its own
 * @param {number} speed_mm_s
 * @param {number} gain_mm_mv
 * @param {number} [start_s] first second of the page
 * @returns {Page}
 */
export function pageFor(name, leads, speed_mm_s, gain_mm_mv, start_s = 0) {
  const twelve = STANDARD_LEADS.every((lead) => leads.includes(lead));
  const form = twelve ? FORMS[name] : { columns: [leads], rhythm: [], row_mm: 30 };
  const pulse_mm = PULSE_S * speed_mm_s;
  const left_mm = MARGIN_MM + pulse_mm + MARGIN_MM;
  const row_mm = Math.max(form.row_mm, 2 * PULSE_MV * gain_mm_mv);
  const rows = form.columns[0].length + form.rhythm.length;
  const column_s = PAGE_S / form.columns.length;
  const baseline = (/** @type {number} */ row) => (row + 0.5) * row_mm + MARGIN_MM;
  /** @type {Panel[]} */
  const panels = [];
  form.columns.forEach((column, at) => {
    const x_mm = left_mm + at * column_s * speed_mm_s;
    column.forEach((lead, row) => {
      panels.push({ lead, x_mm, y_mm: baseline(row), width_mm: column_s * speed_mm_s, from_s: start_s + at * column_s });
    });
  });
  form.rhythm.forEach((lead, at) => {
    const y_mm = baseline(form.columns[0].length + at);
    panels.push({ lead, x_mm: left_mm, y_mm, width_mm: PAGE_S * speed_mm_s, from_s: start_s });
  });
  const pulses = Array.from({ length: rows }, (_, row) => ({
    x_mm: MARGIN_MM,
    y_mm: baseline(row),
    width_mm: pulse_mm,
    height_mm: PULSE_MV * gain_mm_mv,
  }));
  const width_mm = left_mm + PAGE_S * speed_mm_s + MARGIN_MM;
  return { width_mm, height_mm: MARGIN_MM + rows * row_mm + FOOT_MM, row_mm, panels, pulses };
}
