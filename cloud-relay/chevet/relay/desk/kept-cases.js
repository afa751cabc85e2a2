/** Keeping a claimed case on this device, and forgetting it. */

import { ApiError, post } from "/shared/api.js";
import { able, all, erase, partsOf, replaceCase } from "/desk/kept-base.js";
import { changeLock, isOpen, lockRow, Locked, seal, sealJson, steadyNow, tidyLock } from "/desk/kept-lock.js";
import { allPaths, bookOf, namedIn, stampOf } from "/desk/kept-parts.js";
import { keptPut, keptSet } from "/desk/kept-state.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {import("/desk/kept-base.js").KeptCase} KeptCase */
/** @typedef {import("/desk/kept-base.js").Part} Part */

/** What the relay does not have (yet) is not kept; the panes say so as they do with a line. */
const NOT_THERE = 404;

/** One page of this browser at a time keeps a case, or asks the relay what may stay: the relay would hear nothing of a case that is still coming. */
const ALONE = "chevet-kept";

/** @param {() => Promise<void>} work left undone where another page, or this one, is at it */
export async function aloneOrNot(work) {
  await navigator.locks.request(ALONE, { ifAvailable: true }, async (mine) => void (mine && (await work())));
}

/** Read what is on this device, without opening it; what is over by its days is deleted. @returns {Promise<KeptCase[]>} */
export async function readKept() {
  if (!able()) return [];
  const now = await steadyNow();
  /** @type {KeptCase[]} */
  const found = await all("cases");
  for (const one of found.filter(({ until_ms }) => until_ms <= now)) await forget(one.id, { draft: true });
  const left = found.filter(({ until_ms }) => until_ms > now);
  const drafts = await all("drafts");
  keptSet({ kept: Object.fromEntries(left.map((one) => [one.id, one])), unlocked: isOpen(), waiting: drafts.length });
  return left;
}

/**
 * Keep a case with everything that its panes read, in the place of what was kept of it before: that stays where a line breaks.
 *
 * @param {string} id
 * @param {import("/desk/types.js").RelayStatus | null} status to say offline what programme this is
 * @throws {ApiError | Locked | DOMException} the last where the device is full
 */
export const keep = (id, status) => navigator.locks.request(ALONE, () => fetchWhole(id, status));

/** @param {string} id @param {import("/desk/types.js").RelayStatus | null} status */
async function fetchWhole(id, status) {
  if (!isOpen()) throw new Locked("locked");
  const row = await lockRow();
  const { device, until_ms } = await post(`/api/cases/${id}/keep`, { device: row?.device ?? "" });
  const said = status ? await sealJson("status", status) : null;
  await changeLock(() => ({ device, status: said }));
  void navigator.storage?.persist?.();
  const kept_ms = Date.now();
  const one = /** @type {DeskCase} */ (await (await fetched(`/api/cases/${id}`)).json());
  const parts = await fetchParts(id, allPaths(one)).finally(() => keptSet({ busy: null }));
  const bytes = parts.reduce((sum, { data }) => sum + data.byteLength, 0);
  /** @type {KeptCase} */
  const record = { id, user: row?.user ?? "", kept_ms, until_ms, bytes, paths: parts.map(({ at }) => at.slice(id.length + 1)), stamp: stampOf(one) };
  await replaceCase(record, parts);
  keptPut("kept", id, record);
}

/** @param {string} id @param {string[]} paths grows by what the answers name @returns {Promise<Part[]>} sealed */
async function fetchParts(id, paths) {
  /** @type {Part[]} */
  const parts = [];
  for (let n = 0; n < paths.length; n++) {
    keptSet({ busy: { id, done: n, all: paths.length } });
    const answer = await fetched(paths[n]);
    if (answer.status === NOT_THERE) continue;
    const type = answer.headers.get("Content-Type") ?? "";
    const bytes = await answer.arrayBuffer();
    const at = `${id} ${paths[n]}`;
    parts.push({ at, id, type, ...(await seal(at, bytes)) });
    paths.push(...namedIn(paths[n], type, bytes));
  }
  return parts;
}

/** From the relay alone, never from what is kept. @param {string} path */
async function fetched(path) {
  const answer = await fetch(path).catch(() => null);
  if (!answer) throw new ApiError(0, "unreachable");
  if (answer.ok || (answer.status === NOT_THERE && !bookOf(path.split("/")[3]).includes(path))) return answer;
  const told = await answer.json().catch(() => null);
  throw new ApiError(answer.status, told?.error?.code ?? "other");
}

/** Delete a case from this device. @param {string} id @param {{draft?: boolean}} [but] `draft`: words that were not handed over stay, sealed */
export async function forget(id, { draft = false } = {}) {
  await erase("cases", id);
  await erase("parts", partsOf(id));
  if (!draft) await erase("drafts", id);
  keptPut("kept", id, null);
  keptSet({ waiting: (await all("drafts")).length });
}

/** By the reader's own hand. @param {string} id */
export async function forgetByHand(id) {
  await forget(id, { draft: true });
  await aloneOrNot(tidyLock); // the lock of a case that is still coming stays
  keptSet({ unlocked: isOpen() });
}
