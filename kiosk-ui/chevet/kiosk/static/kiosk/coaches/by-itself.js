/**
 * A recording that begins by itself once the signal has been clean for a moment: both hands are with the patient. Only where
 * nothing has to be placed anew (ECG, oximeter): a stethoscope that still lies on the last point would be recorded as the next.
 */

import { useEffect, useRef, useState } from "/shared/vendor/htm-preact/standalone.module.js";

/** @typedef {import("/kiosk/coaches/capture.js").Taking} Taking */

const STEADY_S = 3;
const KEPT = "chevet.by_itself";

/** The choice of this kiosk; it begins by itself where nobody switched it off. */
export function byItself() {
  return localStorage.getItem(KEPT) !== "off";
}

/** @param {boolean} on */
export function setByItself(on) {
  localStorage.setItem(KEPT, on ? "on" : "off");
}

/**
 * @param {Taking} taking @param {boolean} wanted nothing was kept here yet @param {boolean} clean as the quality engine and the contacts say now
 * @returns {number | null} seconds until it begins; null while it does not
 */
export function useByItself(taking, wanted, clean) {
  const [left, count] = useState(/** @type {number | null} */ (null));
  const begin = useRef(taking.start);
  begin.current = taking.start;
  const armed = wanted && clean && taking.phase === "live" && byItself();
  useEffect(() => {
    if (!armed) return undefined;
    let seconds = STEADY_S;
    count(seconds);
    const timer = setInterval(() => {
      seconds -= 1;
      if (seconds > 0) return count(seconds);
      clearInterval(timer); // once: what the box refuses is not asked again and again
      count(null);
      begin.current();
    }, 1000);
    return () => {
      clearInterval(timer);
      count(null);
    };
  }, [armed]);
  return armed ? left : null;
}
