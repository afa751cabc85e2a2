/** What the line told while a list was on its way is newer than the list, and stays. */

/** When the line last told of one, by its id, in ms of this page. @type {Record<"cases" | "found", Map<string, number>>} */
const toldAt = { cases: new Map(), found: new Map() };

/** Note that the line has just told of one, or that it is gone. @param {"cases" | "found"} list @param {string} id */
export function noteTold(list, id) {
  toldAt[list].set(id, performance.now());
}

/**
 * A list that was asked for, with what the line has told of since as it is known now: changed, added or gone.
 * @template {{ id: string }} T
 * @param {"cases" | "found"} list
 * @param {number} asked when, by performance.now()
 * @param {T[]} answer
 * @param {T[]} known
 * @returns {T[]} the answer in its order, then what is known better
 */
export function keepTold(list, asked, answer, known) {
  const isNewer = (/** @type {T} */ { id }) => (toldAt[list].get(id) ?? -1) >= asked;
  return [...answer.filter((one) => !isNewer(one)), ...known.filter(isNewer)];
}
