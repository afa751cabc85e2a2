/** Follow-up programmes: what is measured, what is shown, who answers. The rules themselves are the box's (GET /api/visits/{id}/trends). */

import { get } from "/shared/api.js";
import { useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { attempt } from "/kiosk/attempt.js";

/** @typedef {import("/shared/types.js").Visit} Visit */
/** @typedef {import("/shared/types.js").Trends} Trends */
/** @typedef {{ icon: string, reason: string, specialty: string, exams: string[], kinds: string[] }} Programme */

/** @type {Record<string, Programme>} */
export const PROGRAMMES = {
  heart_failure: { icon: "med/heart_organ", reason: "heart_failure", specialty: "cardiology", exams: ["weight", "blood_pressure", "oximetry"], kinds: ["weight", "systolic", "pulse_rate", "spo2"] },
  hypertension: { icon: "med/blood_pressure_monitor", reason: "high_blood_pressure", specialty: "cardiology", exams: ["blood_pressure", "weight"], kinds: ["systolic", "pulse_rate", "weight"] },
  diabetes: { icon: "med/blood_drop", reason: "diabetes", specialty: "internal-medicine", exams: ["glucose", "blood_pressure", "weight"], kinds: ["glucose", "weight", "systolic"] },
  pregnancy: { icon: "med/pregnant", reason: "pregnancy", specialty: "gynaecology-obstetrics", exams: ["blood_pressure", "weight"], kinds: ["systolic", "weight"] },
};

/** Programmes this visit belongs to. @param {Visit} visit */
export function programmesOf(visit) {
  return Object.keys(PROGRAMMES).filter((programme) => visit.history[`programme.${programme}`] === "yes");
}

/** Examinations of those programmes, each once. @param {Visit} visit @returns {string[]} */
export function examsOf(visit) {
  return [...new Set(programmesOf(visit).flatMap((programme) => PROGRAMMES[programme]?.exams ?? []))];
}

/** Earlier visits of the same patient, read again when a number or an answer is added. @param {Visit} visit @returns {Trends | null} */
export function useTrends(visit) {
  const [trends, setTrends] = useState(/** @type {Trends | null} */ (null));
  const answers = JSON.stringify(visit.history);
  useEffect(() => {
    attempt(() => get(`/api/visits/${visit.id}/trends`)).then((answer) => answer && setTrends(answer));
  }, [visit.id, visit.vitals.length, answers]);
  return trends;
}
