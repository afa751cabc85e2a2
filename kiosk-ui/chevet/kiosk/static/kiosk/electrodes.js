/** Names and colours of the ten electrodes as the cable of this site has them: IEC 60601-2-25 code 1, or the American one (AAMI EC53). */

import { t } from "/shared/i18n.js";

const KEPT = "chevet.electrodes";
/** Limb electrodes by their IEC names; those of the chest are called the same. */
const AMERICAN = /** @type {Record<string, string>} */ ({ R: "RA", L: "LA", F: "LL", N: "RL" });

/** The choice of this kiosk; IEC where nobody chose. @returns {"iec" | "aha"} */
export function electrodeCode() {
  return localStorage.getItem(KEPT) === "aha" ? "aha" : "iec";
}

/** @param {"iec" | "aha"} code */
export function setElectrodeCode(code) {
  localStorage.setItem(KEPT, code);
}

/** What stands on the cable. @param {string} electrode IEC name */
export function nameOf(electrode) {
  return electrodeCode() === "aha" ? (AMERICAN[electrode] ?? electrode) : electrode;
}

/** @param {string} electrode IEC name @returns {string} its colour, and the limb it belongs to */
export function colourOf(electrode) {
  return electrodeCode() === "aha" ? t(`electrode.aha.${electrode}`) : t(`electrode.${electrode}`);
}
