/** How people are named on screens. */

import { t } from "/shared/i18n.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { boxNow } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Patient} PatientShape */

/** @param {PatientShape} patient @returns {number | null} whole years, from the birth year alone */
export function yearsOf(patient) {
  return patient.birth_year === null ? null : new Date(boxNow()).getFullYear() - patient.birth_year;
}

/** Name, sex and age. @param {{ patient: PatientShape }} props */
export function Patient({ patient }) {
  const years = yearsOf(patient);
  return html`<bdi>${patient.name}</bdi>${patient.sex && html` · ${t(`sex.short.${patient.sex}`)}`}${years !== null && html` · <bdi dir="ltr">${years}</bdi>`}`;
}

/** Keeps Arabic letters from joining into a word of their own. */
const APART = "\u200c";

/** Initials as the box gives them. @param {string} letters */
export function apart(letters) {
  return [...letters].join(APART);
}

/** Two letters of a name, for a tile. @param {string} name */
export function initials(name) {
  const words = name.trim().split(/\s+/).filter((word) => !/^(dr|pr|mme|mr|m)\.?$/i.test(word));
  return words.slice(0, 2).map((word) => [...word][0] ?? "").join(APART).toUpperCase();
}
