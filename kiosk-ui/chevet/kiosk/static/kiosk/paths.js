/**
 * Time-critical paths: which steps count, in which order, and nothing else. What is shown beside a step is the time that guidance
 * gives for it, never an advice to treat.
 *
 * Sources: stroke, AHA/ASA guideline 2019 for early management of acute ischaemic stroke (last known well, glucose before anything
 * else, window of 4.5 h) and the NIH Stroke Scale; chest pain, ESC guideline 2023 for acute coronary syndromes (12-lead ECG within
 * 10 min of first contact); newborn, WHO guideline 2015 on possible serious bacterial infection in young infants.
 */

/** @typedef {import("/shared/types.js").Visit} Visit */
/** @typedef {{ key: string, icon: string, screen: string, done: (visit: Visit) => boolean, within_min?: number }} PathStep */
/** @typedef {{ reason: string, specialty: string, window_min?: number, steps: PathStep[] }} TimeCriticalPath */

/** @param {string} kind @returns {(visit: Visit) => boolean} */
const hasVital = (kind) => (visit) => visit.vitals.some((vital) => vital.kind === kind && vital.value !== null);
/** @param {string} step @returns {(visit: Visit) => boolean} */
const hasRecording = (step) => (visit) => visit.recordings.some((recording) => recording.step === step);
/** @param {string} prefix @returns {(visit: Visit) => boolean} */
const hasAnswer = (prefix) => (visit) => Object.keys(visit.history).some((key) => key.startsWith(prefix));

/** @type {PathStep} */
const onset = { key: "onset", icon: "timer", screen: "onset", done: hasAnswer("onset.") };
/** @type {PathStep} */
const glucose = { key: "glucose", icon: "med/blood_drop", screen: "vital/glucose", done: hasVital("glucose") };
/** @type {PathStep} */
const pressure = { key: "blood_pressure", icon: "med/blood_pressure_monitor", screen: "vital/blood_pressure", done: hasVital("systolic") };
/** @type {PathStep} */
const ecg = { key: "ecg", icon: "med/heart_cardiogram", screen: "ecg", done: hasRecording("ecg") };
/** @type {PathStep} */
const oximetry = { key: "oximetry", icon: "med/pulse_oximeter", screen: "oximeter", done: hasVital("spo2") };
/** @type {PathStep} */
const temperature = { key: "temperature", icon: "med/thermometer_digital", screen: "vital/temperature", done: hasVital("temperature") };
/** @type {PathStep} */
const respiration = { key: "respiration", icon: "wind", screen: "vital/respiration", done: hasVital("respiration_rate") };
/** @type {PathStep} */
const nihss = { key: "nihss", icon: "med/neurology", screen: "sheet/nihss", done: hasAnswer("nihss.") };
/** @type {PathStep} */
const newborn = { key: "newborn", icon: "med/baby_0203m", screen: "sheet/newborn", done: hasAnswer("newborn.") };

/** @type {Record<string, TimeCriticalPath>} */
export const PATHS = {
  stroke: { reason: "stroke", specialty: "internal-medicine", window_min: 270, steps: [onset, glucose, pressure, nihss, ecg, oximetry] },
  chest_pain: { reason: "chest_pain", specialty: "cardiology", steps: [{ ...ecg, within_min: 10 }, onset, pressure, oximetry, glucose] },
  newborn: { reason: "newborn", specialty: "paediatrics", steps: [newborn, temperature, respiration, oximetry, glucose] },
};

/** The path of the signs seen, the one that waits least first. @param {string[]} signs */
export function pathOf(signs) {
  return Object.keys(PATHS).find((path) => signs.includes(path)) ?? "";
}
