/** Meeting the relay again: what must go goes, what was read without a line is told, drafts are handed over. */

import { ApiError, post } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { able, all, erase } from "/desk/kept-base.js";
import { aloneOrNot, forget, readKept } from "/desk/kept-cases.js";
import { draftsOf, handOver } from "/desk/kept-drafts.js";
import { empty, isOpen, lockRow, tidyLock } from "/desk/kept-lock.js";
import { keptNow, keptPut, keptSet } from "/desk/kept-state.js";
import { set } from "/desk/store.js";

/** @typedef {import("/desk/types.js").InboxCase} InboxCase */
/** @typedef {{number: number, case: string, at_ms: number}} Opening */

/** The relay takes so many at once. */
const MOST_OPENINGS = 500;
/** The case is hidden, the device was signed out: nothing of it stays, no draft either. */
const ALL_GOES = ["gone", "ended"];

/** Tell the relay what is kept here and do as it says; a relay that does not answer changes nothing. */
export async function meet() {
  if (able()) await aloneOrNot(ask); // while a case is being kept the relay would not hear of it, and forget that it was
}

async function ask() {
  const row = await lockRow();
  if (!row) return;
  const ids = (await readKept()).map((one) => one.id);
  if (!row.device) return;
  /** @type {Opening[]} */
  const openings = (await all("openings")).slice(0, MOST_OPENINGS);
  const opened = openings.map(({ case: id, at_ms }) => ({ case: id, at_ms }));
  const answer = await post("/api/kept", { device: row.device, cases: ids, opened }).catch((error) => {
    if (error instanceof ApiError) return null;
    throw error;
  });
  if (!answer) return;
  for (const { number } of openings) await erase("openings", number);
  await obey(answer);
}

/** @param {{stands: boolean, stay: Record<string, number>, gone: Record<string, string>}} answer */
async function obey({ stands, stay, gone }) {
  if (!stands) {
    await forgetAll();
    set({ trouble: t("kept.ended") });
    return;
  }
  for (const [id, why] of Object.entries(gone)) {
    await forget(id, { draft: !ALL_GOES.includes(why) });
    if (why === "gone") set({ trouble: t("kept.gone") });
  }
  for (const [id, until_ms] of Object.entries(stay)) {
    const one = keptNow().kept[id];
    if (one) keptPut("kept", id, { ...one, until_ms });
  }
  await tidyLock();
  keptSet({ unlocked: isOpen() });
}

/** Delete everything kept here: at sign-out, or because the relay or its owner says so from elsewhere. */
export async function forgetAll() {
  draftsOf("");
  if (!able()) return;
  await empty();
  keptSet({ kept: {}, unlocked: false, door: false, waiting: 0, saved: {}, conflicts: {} });
}

/** Somebody is signed in and the relay is there. @param {string} user */
export async function settle(user) {
  draftsOf(user);
  if (!able()) return handOver();
  const row = await lockRow();
  if (row && row.user !== user) await forgetAll(); // it was another person's, who did not sign out
  await meet();
  await handOver();
}

/** The list was read: is anything kept that is not the reader's any more? @param {InboxCase[]} inbox @param {string} user */
export async function checkKept(inbox, user) {
  const ids = Object.keys(keptNow().kept);
  if (keptNow().offline || !ids.length) return;
  const mine = (/** @type {string} */ id) => inbox.some((one) => one.id === id && one.state !== "answered" && one.claimed_by?.id === user);
  if (ids.some((id) => !mine(id))) await meet();
}

