/** Names and colours of the ten electrodes as the cable of this site has them: IEC 60601-2-25 code 1, or the American one (AAMI EC53). */

import { put } from "/shared/api.js";
import { reasonText, t } from "/shared/i18n.js";
import { now } from "/kiosk/store.js";

/** Limb electrodes by their IEC names; those of the chest are called the same. */
const AMERICAN = /** @type {Record<string, string>} */ ({ R: "RA", L: "LA", F: "LL", N: "RL" });
const IEC = Object.fromEntries(Object.entries(AMERICAN).map(([iec, american]) => [american, iec]));
/** Reasons whose detail names electrodes. */
const ABOUT_ELECTRODES = ["lead_off", "lead_swap"];

/** What the box says of its cable; IEC before it said anything. @returns {"iec" | "aha"} */
export function electrodeCode() {
  return now().status?.electrodes ?? "iec";
}

/** The box keeps it, and tells every screen. @param {"iec" | "aha"} code */
export function chooseElectrodes(code) {
  return put("/api/electrodes", { code });
}

/** @param {string} electrode by either code, as devices and the box name it @returns {string} its IEC name */
export function iecOf(electrode) {
  return IEC[electrode] ?? electrode;
}

/** What stands on the cable. @param {string} electrode by either code */
export function nameOf(electrode) {
  const iec = iecOf(electrode);
  return electrodeCode() === "aha" ? (AMERICAN[iec] ?? iec) : iec;
}

/** @param {string} electrode IEC name @returns {string} its colour, and the limb it belongs to */
export function colourOf(electrode) {
  return electrodeCode() === "aha" ? t(`electrode.aha.${electrode}`) : t(`electrode.${electrode}`);
}

/** A reason such as "lead_swap:RA/LA" with the names of this site's cable. @param {string} reason */
export function onCable(reason) {
  const [code = "", ...rest] = reason.split(":");
  if (!rest.length || !ABOUT_ELECTRODES.includes(code)) return reason;
  return `${code}:${rest.join(":").replace(/[A-Z]+\d?/g, nameOf)}`;
}

/** A reason as a sentence. @param {string} reason */
export function reasonSays(reason) {
  return reasonText(onCable(reason));
}
