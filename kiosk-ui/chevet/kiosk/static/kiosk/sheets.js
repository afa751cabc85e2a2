/**
 * Sheets that are filled in by touching one answer after the other.
 *
 * `nihss`: the NIH Stroke Scale of the National Institute of Neurological Disorders and Stroke (public domain; Brott et al., Stroke
 * 1989;20:864-870): 15 items, 0 to 42. "UN" is the scale's own mark for what cannot be tested; it counts nothing and is shown.
 * `newborn`: the clinical signs of severe illness of WHO's guideline of 2015 on young infants; temperature and breathing rate, which
 * belong to them, are measured and not asked.
 */

/** @typedef {{ item: string, answers: string[] }} SheetItem */

const LIMB = ["0", "1", "2", "3", "4", "un"];

/** @type {Record<string, SheetItem[]>} */
export const SHEETS = {
  nihss: [
    { item: "1a", answers: ["0", "1", "2", "3"] },
    { item: "1b", answers: ["0", "1", "2"] },
    { item: "1c", answers: ["0", "1", "2"] },
    { item: "2", answers: ["0", "1", "2"] },
    { item: "3", answers: ["0", "1", "2", "3"] },
    { item: "4", answers: ["0", "1", "2", "3"] },
    { item: "5a", answers: LIMB },
    { item: "5b", answers: LIMB },
    { item: "6a", answers: LIMB },
    { item: "6b", answers: LIMB },
    { item: "7", answers: ["0", "1", "2", "un"] },
    { item: "8", answers: ["0", "1", "2"] },
    { item: "9", answers: ["0", "1", "2", "3"] },
    { item: "10", answers: ["0", "1", "2", "un"] },
    { item: "11", answers: ["0", "1", "2"] },
  ],
  newborn: ["feeding", "movement", "convulsion", "indrawing"].map((item) => ({ item, answers: ["yes", "no"] })),
};

/** Limbs share their answers; every other item has its own. @param {string} sheet @param {string} item @param {string} answer */
export function answerKey(sheet, item, answer) {
  if (answer === "un") return "nihss.answer.un";
  if (sheet !== "nihss") return `do.${answer}`;
  const of = /^[56]/.test(item) ? item.slice(0, 1) === "5" ? "arm" : "leg" : item;
  return `nihss.answer.${of}.${answer}`;
}

/** @param {Record<string, string>} history @returns {{ total: number, answered: number, untested: number }} of the NIHSS */
export function nihssOf(history) {
  const given = (SHEETS.nihss ?? []).map(({ item }) => history[`nihss.${item}`]).filter((answer) => answer !== undefined);
  const points = given.filter((answer) => answer !== "un").map(Number);
  return { total: points.reduce((sum, one) => sum + one, 0), answered: given.length, untested: given.length - points.length };
}
