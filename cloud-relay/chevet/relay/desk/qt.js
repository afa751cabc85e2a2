/** QT corrected for heart rate, by four named formulas. Times in ms; pure. */

/** @typedef {"fridericia" | "bazett" | "framingham" | "hodges"} Formula */

/**
 * QT / RR^(1/3) (Fridericia 1920), QT / RR^(1/2) (Bazett 1920), QT + 154 (1 - RR) (Sagie 1992, Framingham),
 * QT + 1.75 (rate - 60) (Hodges 1983); RR in seconds.
 * @type {Record<Formula, (qt_ms: number, rr_s: number) => number>}
 */
export const FORMULAS = {
  fridericia: (qt_ms, rr_s) => qt_ms / Math.cbrt(rr_s),
  bazett: (qt_ms, rr_s) => qt_ms / Math.sqrt(rr_s),
  framingham: (qt_ms, rr_s) => qt_ms + 154 * (1 - rr_s),
  hodges: (qt_ms, rr_s) => qt_ms + 1.75 * (60 / rr_s - 60),
};

/** What can be an interval of a heart: wider than any, but no calibration pulse is taken for RR. */
const POSSIBLE = { qt: { least: 150, most: 800 }, rr: { least: 200, most: 3000 } };

/** @param {"qt" | "rr"} what @param {number} ms */
export function isPossible(what, ms) {
  return ms >= POSSIBLE[what].least && ms <= POSSIBLE[what].most;
}

/**
 * @param {Formula} formula
 * @param {number} qt_ms
 * @param {number} rr_ms
 * @returns {number} ms
 */
export function correctedQt(formula, qt_ms, rr_ms) {
  return FORMULAS[formula](qt_ms, rr_ms / 1000);
}
