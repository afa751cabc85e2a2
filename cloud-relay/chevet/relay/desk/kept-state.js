/** What the page knows of reading offline: whether there is a line, what is kept, how drafts stand. */

import { stateOf } from "/shared/state.js";

/** @typedef {import("/desk/kept-base.js").KeptCase} KeptCase */
/** @typedef {"relay" | "device" | "page"} Where where the last words of a draft lie */

/**
 * @typedef {object} Keeping
 * @property {boolean} offline the relay did not answer last time
 * @property {boolean} door what is kept can be read once the passphrase is given
 * @property {boolean} unlocked
 * @property {Record<string, KeptCase>} kept by case
 * @property {{id: string, done: number, all: number} | null} busy a case that is being kept
 * @property {Record<string, {where: Where, at_ms: number}>} saved drafts by case
 * @property {Record<string, {code: string}>} conflicts drafts the relay did not take, by case
 * @property {number} waiting sealed drafts on this device that the relay does not have yet
 */

/** @type {Keeping} */
const FIRST = { offline: false, door: false, unlocked: false, kept: {}, busy: null, saved: {}, conflicts: {}, waiting: 0 };

export const { now: keptNow, set: keptSet, use: useKept } = stateOf(FIRST);

/**
 * @template {"kept" | "saved" | "conflicts"} K
 * @param {K} of
 * @param {string} id of a case
 * @param {Keeping[K][string] | null} value null takes it away
 */
export function keptPut(of, id, value) {
  const { [id]: _before, ...others } = keptNow()[of];
  keptSet({ [of]: value ? { ...others, [id]: value } : others });
}
