/**
 * How many CSS pixels a true millimetre takes on this screen.
 *
 * A browser does not know its screen's size: a CSS millimetre is 96/25.4 pixels whatever the glass. A reader holds
 * a bank card against the screen once (ISO/IEC 7810 ID-1: 85.60 mm wide); the value is kept with the screen's
 * size and pixel ratio, so that another monitor or a browser zoom makes the paper say "not to scale" again.
 */

export const CSS_PX_PER_MM = 96 / 25.4;
/** ISO/IEC 7810:2019, ID-1. */
export const CARD_MM = { width: 85.6, height: 53.98 };
const KEY = "chevet.screen-scale";
/** Screens from 72 px per inch to phones that report 260 CSS px per inch. */
const PLAUSIBLE = { least: 72 / 25.4, most: 260 / 25.4 };

/** @returns {string} what the value holds for */
function thisScreen() {
  return `${screen.width}x${screen.height}@${devicePixelRatio}`;
}

/**
 * @returns {number | null} CSS pixels per millimetre measured on this screen, or null when it was not measured
 */
export function measuredScale() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "null");
    return kept && kept.screen === thisScreen() && isPlausible(kept.px_per_mm) ? kept.px_per_mm : null;
  } catch {
    return null;
  }
}

/**
 * Keep what the reader measured and tell every paper on the page.
 *
 * @param {number} px_per_mm CSS pixels per millimetre
 * @throws {RangeError} outside what a screen can have
 */
export function keepScale(px_per_mm) {
  if (!isPlausible(px_per_mm)) throw new RangeError("no screen has so many pixels in a millimetre");
  localStorage.setItem(KEY, JSON.stringify({ screen: thisScreen(), px_per_mm }));
  window.dispatchEvent(new Event("chevet-scale"));
}

/** Forget the measured value. */
export function forgetScale() {
  localStorage.removeItem(KEY);
  window.dispatchEvent(new Event("chevet-scale"));
}

/**
 * @param {unknown} value
 * @returns {boolean}
 */
function isPlausible(value) {
  return typeof value === "number" && value >= PLAUSIBLE.least && value <= PLAUSIBLE.most;
}
