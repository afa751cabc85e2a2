/**
 * Where everything stands on the ECG paper, in millimetres of paper. Pure: no canvas, no screen.
 *
 * The page holds 10 s. In 3x4 and 6x2 the columns follow each other in time, so all leads are simultaneous
 * with the rhythm strip below them. One lead alone is drawn in rows that follow each other.
 */

/** @typedef {"3x4" | "6x2" | "12x1"} LayoutName */

/**
 * @typedef {object} Panel one lead's stretch of paper
 * @property {string} lead
 * @property {1 | -1} sign -1 where the lead is drawn upside down, as in Cabrera's order
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

/**
 * Limb leads in the order of their angles, from -30 to 120 degrees, with aVR turned round: the Cabrera sequence
 * (AHA/ACCF/HRS recommendations 2007, part I).
 */
const CABRERA = ["aVL", "I", "-aVR", "II", "aVF", "III"];

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

/** Height of a row of one lead alone, and how much of it one row holds. */
const ALONE = { row_mm: 50, row_length_mm: 250 };

/**
 * The columns of leads from the top down; in Cabrera's order the limb leads are others.
 *
 * @param {LayoutName} name
 * @param {"standard" | "cabrera"} order
 * @returns {string[][]}
 */
function columnsOf(name, order) {
  const { columns } = FORMS[name];
  if (order === "standard") return columns;
  const leads = [...CABRERA, ...STANDARD_LEADS.slice(6)];
  const rows = columns[0].length;
  return columns.map((_, at) => leads.slice(at * rows, (at + 1) * rows));
}

/**
 * Lay out one page.
 *
 * @param {LayoutName} name
 * @param {string[]} leads names the wave has; with other than the twelve, each gets a row of its own
 * @param {number} speed_mm_s
 * @param {number} gain_mm_mv
 * @param {number} [start_s] first second of the page
 * @param {{order?: "standard" | "cabrera", alone?: string}} [how] `alone`: the one lead to draw
 * @returns {Page}
 */
export function pageFor(name, leads, speed_mm_s, gain_mm_mv, start_s = 0, { order = "standard", alone = "" } = {}) {
  const left_mm = MARGIN_MM + PULSE_S * speed_mm_s + MARGIN_MM;
  if (alone && leads.includes(alone)) return aloneOn(alone, speed_mm_s, gain_mm_mv, start_s, left_mm);
  const twelve = STANDARD_LEADS.every((lead) => leads.includes(lead));
  const columns = twelve ? columnsOf(name, order) : [leads];
  const { rhythm, row_mm: least_mm } = twelve ? FORMS[name] : { rhythm: [], row_mm: 30 };
  const row_mm = Math.max(least_mm, 2 * PULSE_MV * gain_mm_mv);
  const column_s = PAGE_S / columns.length;
  const panels = columns.flatMap((column, at) =>
    column.map((lead, row) => ({
      ...signed(lead),
      x_mm: left_mm + at * column_s * speed_mm_s,
      y_mm: baseline(row, row_mm),
      width_mm: column_s * speed_mm_s,
      from_s: start_s + at * column_s,
    })),
  );
  rhythm.forEach((lead, at) => {
    const y_mm = baseline(columns[0].length + at, row_mm);
    panels.push({ ...signed(lead), x_mm: left_mm, y_mm, width_mm: PAGE_S * speed_mm_s, from_s: start_s });
  });
  return sheet(panels, columns[0].length + rhythm.length, row_mm, PAGE_S * speed_mm_s, speed_mm_s, gain_mm_mv);
}

/**
 * One lead in rows of 250 mm: 10 s at 25 mm/s, 5 s each at 50 mm/s.
 *
 * @param {string} lead
 * @param {number} speed_mm_s
 * @param {number} gain_mm_mv
 * @param {number} start_s
 * @param {number} left_mm
 * @returns {Page}
 */
function aloneOn(lead, speed_mm_s, gain_mm_mv, start_s, left_mm) {
  const { row_length_mm } = ALONE;
  const row_mm = Math.max(ALONE.row_mm, 3 * PULSE_MV * gain_mm_mv);
  const rows = Math.ceil((PAGE_S * speed_mm_s) / row_length_mm);
  const row_s = row_length_mm / speed_mm_s;
  const panels = Array.from({ length: rows }, (_, row) => ({
    ...signed(lead), x_mm: left_mm, y_mm: baseline(row, row_mm), width_mm: row_length_mm, from_s: start_s + row * row_s,
  }));
  return sheet(panels, rows, row_mm, row_length_mm, speed_mm_s, gain_mm_mv);
}

/** @param {string} lead with "-" before it where it is turned @returns {{lead: string, sign: 1 | -1}} */
function signed(lead) {
  return lead.startsWith("-") ? { lead: lead.slice(1), sign: -1 } : { lead, sign: 1 };
}

/** @param {number} row @param {number} row_mm */
function baseline(row, row_mm) {
  return (row + 0.5) * row_mm + MARGIN_MM;
}

/**
 * @param {Panel[]} panels
 * @param {number} rows
 * @param {number} row_mm
 * @param {number} trace_mm length of a row's trace
 * @param {number} speed_mm_s
 * @param {number} gain_mm_mv
 * @returns {Page}
 */
function sheet(panels, rows, row_mm, trace_mm, speed_mm_s, gain_mm_mv) {
  const pulse_mm = PULSE_S * speed_mm_s;
  const pulses = Array.from({ length: rows }, (_, row) => ({
    x_mm: MARGIN_MM, y_mm: baseline(row, row_mm), width_mm: pulse_mm, height_mm: PULSE_MV * gain_mm_mv,
  }));
  const width_mm = MARGIN_MM + pulse_mm + MARGIN_MM + trace_mm + MARGIN_MM;
  return { width_mm, height_mm: MARGIN_MM + rows * row_mm + FOOT_MM, row_mm, panels, pulses };
}

/**
 * Where a lead's name is printed: its lower left corner.
 *
 * @param {Panel} panel
 * @param {number} row_mm
 * @returns {{x_mm: number, y_mm: number}}
 */
export function nameAt(panel, row_mm) {
  return { x_mm: panel.x_mm + 1, y_mm: panel.y_mm - Math.min(10, row_mm * 0.36) };
}

/**
 * The panel whose name was pressed; a finger needs some millimetres around it.
 *
 * @param {Page} page
 * @param {{x: number, y: number}} at mm
 * @returns {Panel | undefined}
 */
export function namedAt(page, { x, y }) {
  return page.panels.find((panel) => {
    const { x_mm, y_mm } = nameAt(panel, page.row_mm);
    return x > x_mm - 2 && x < x_mm + 9 && y > y_mm - 6 && y < y_mm + 2;
  });
}
