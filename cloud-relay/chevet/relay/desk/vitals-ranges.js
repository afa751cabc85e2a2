/**
 * Usual values of vital signs by age, to be read beside a number and never as a finding. Pure.
 *
 * Children: 1st to 99th centile of heart and breathing rate in healthy children, Fleming et al. 2011
 * (doi 10.1016/S0140-6736(10)62226-X). From 16: what scores 0 in NEWS2 (Royal College of Physicians 2017), which also
 * gives SpO2 and temperature; blood pressure below the limit of hypertension of ESH 2023
 * (doi 10.1097/HJH.0000000000003480) and not below 90/60. Glucose: fasting, American Diabetes Association 2024
 * (doi 10.2337/dc24-S002). Blood pressure of children depends on height and is not given.
 */

/** @typedef {{low: number, high: number, source: string, note: string}} Range `source` as printed; `note` a key of words or "" */

const ADULT = 16;

/** @type {[number, number, number, number, number][]} from this age on: heart rate low, high; breathing rate low, high */
const CHILDREN = [
  [0, 93, 181, 22, 66],
  [1, 82, 156, 19, 53],
  [2, 76, 142, 18, 38],
  [3, 70, 136, 17, 33],
  [4, 65, 131, 17, 29],
  [6, 59, 123, 16, 27],
  [8, 52, 115, 14, 25],
  [12, 47, 108, 12, 23],
  [15, 43, 104, 11, 22],
];
const FLEMING = "Fleming 2011";
const NEWS2 = "NEWS2";

/** @type {Record<string, [number, number, string, string]>} */
const ADULTS = {
  pulse_rate: [51, 90, NEWS2, ""],
  heart_rate: [51, 90, NEWS2, ""],
  respiration_rate: [12, 20, NEWS2, ""],
  systolic: [90, 139, "ESH 2023", ""],
  diastolic: [60, 89, "ESH 2023", ""],
};
/** @type {Record<string, [number, number, string, string]>} */
const ANY_AGE = {
  spo2: [96, 100, NEWS2, "altitude"],
  temperature: [36.1, 38, NEWS2, ""],
  glucose: [70, 99, "ADA 2024", "fasting"],
};

/**
 * @param {string} kind of vital sign
 * @param {number | null} age whole years, by the year of birth alone; null where unknown
 * @returns {Range | null} null where no range is known for this sign and age
 */
export function rangeFor(kind, age) {
  const found = ANY_AGE[kind] ?? (age === null ? undefined : age >= ADULT ? ADULTS[kind] : child(kind, age));
  if (!found) return null;
  const [low, high, source, note] = found;
  return { low, high, source, note };
}

/** @param {string} kind @param {number} age @returns {[number, number, string, string] | undefined} */
function child(kind, age) {
  const row = CHILDREN.filter(([from]) => from <= age).at(-1);
  if (!row) return undefined;
  if (kind === "pulse_rate" || kind === "heart_rate") return [row[1], row[2], FLEMING, ""];
  return kind === "respiration_rate" ? [row[3], row[4], FLEMING, ""] : undefined;
}

/** @param {number} value @param {Range} range @returns {"below" | "within" | "above"} */
export function against(value, { low, high }) {
  return value < low ? "below" : value > high ? "above" : "within";
}
