/** What can be examined in a visit, in the order of the tiles. */

/** @typedef {import("/shared/types.js").Visit} Visit */
/**
 * @typedef {object} Exam
 * @property {string} key
 * @property {string} icon
 * @property {string} screen where its coach is
 * @property {string} [instrument] what must be plugged in
 * @property {string} [step] the recording's step
 * @property {number} [parts] how many recordings make it whole
 * @property {string} [meter] an instrument that can measure it; typed where it is absent
 * @property {string} [vital] the number that makes it done
 * @property {string[]} [vitals] numbers to show
 * @property {string[]} [reasons] reasons of the visit for which it is proposed; for all where there are none
 */

/** Points of the heart, and the least set of the lungs (docs/api.md), in the order they are taken. */
export const HEART_SITES = ["A", "P", "E", "T", "M"];
export const LUNG_SITES = ["Ar", "Al", "Lr", "Ll", "Pr", "Pl", "Br", "Bl"];

/** @type {Exam[]} */
export const EXAMS = [
  { key: "oximetry", icon: "med/pulse_oximeter", screen: "oximeter", instrument: "oximeter", step: "oximetry", vital: "spo2", vitals: ["spo2", "pulse_rate"] },
  { key: "ecg", icon: "med/heart_cardiogram", screen: "ecg", instrument: "ecg", step: "ecg" },
  { key: "heart_sound", icon: "med/stethoscope", screen: "stethoscope", instrument: "stethoscope", step: "heart_sound", parts: HEART_SITES.length },
  { key: "lung_sound", icon: "med/lungs", screen: "lungs", instrument: "stethoscope", step: "lung_sound", parts: LUNG_SITES.length, reasons: ["breathlessness", "cough", "fever"] },
  { key: "otoscopy", icon: "med/ear", screen: "otoscope", instrument: "otoscope", step: "otoscopy", parts: 2 },
  { key: "photo", icon: "camera", screen: "photo", instrument: "otoscope", step: "photo", reasons: ["skin"] },
  { key: "blood_pressure", icon: "med/blood_pressure_monitor", screen: "vital/blood_pressure", meter: "blood_pressure", vital: "systolic", vitals: ["systolic", "diastolic"] },
  { key: "respiration", icon: "wind", screen: "vital/respiration", meter: "respiration", vital: "respiration_rate", vitals: ["respiration_rate"] },
  { key: "temperature", icon: "med/thermometer_digital", screen: "vital/temperature", meter: "thermometer", vital: "temperature", vitals: ["temperature"] },
  { key: "weight", icon: "med/weight", screen: "vital/weight", meter: "scale", vital: "weight", vitals: ["weight"] },
  { key: "glucose", icon: "med/blood_drop", screen: "vital/glucose", meter: "glucose", vital: "glucose", vitals: ["glucose"] },
];

/** @param {Visit} visit @param {string} [step] */
export function recordingsOf(visit, step) {
  return visit.recordings.filter((recording) => recording.step === step);
}

/** The newest value of a kind. @param {Visit} visit @param {string} [kind] */
export function vitalOf(visit, kind) {
  return visit.vitals.filter((vital) => vital.kind === kind && vital.value !== null).at(-1) ?? null;
}

/** @param {Visit} visit @param {Exam} exam */
export function skipOf(visit, exam) {
  return visit.skips.find((skip) => skip.step === (exam.step ?? exam.key)) ?? null;
}
