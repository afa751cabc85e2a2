/** Keeping a claimed case on this device, and forgetting it. */

import { ApiError, post } from "/shared/api.js";
import { able, all, erase, partsOf, write } from "/desk/kept-base.js";
import { changeLock, isOpen, lockRow, Locked, seal, sealJson, steadyNow, tidyLock } from "/desk/kept-lock.js";
import { allPaths, bookOf, namedIn, stampOf } from "/desk/kept-parts.js";
import { keptNow, keptPut, keptSet } from "/desk/kept-state.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {import("/desk/kept-base.js").KeptCase} KeptCase */

/** What the relay does not have (yet) is not kept; the panes say so as they do with a line. */
const NOT_THERE = 404;

/** Read what is on this device, without opening it; what is over by its days is deleted. @returns {Promise<KeptCase[]>} */
export async function readKept() {
  if (!able()) return [];
  const now = await steadyNow();
  /** @type {KeptCase[]} */
  const found = await all("cases");
  // a case that was cut off while it was kept is of no use either; drafts wait for the relay
  for (const one of found.filter(({ id, until_ms, whole }) => until_ms <= now || (!whole && keptNow().busy?.id !== id))) await forget(one.id, { draft: true });
  const left = found.filter(({ until_ms, whole }) => until_ms > now && whole);
  const drafts = await all("drafts");
  keptSet({ kept: Object.fromEntries(left.map((one) => [one.id, one])), unlocked: isOpen(), waiting: drafts.length });
  return left;
}

/**
 * Keep a case with everything that its panes read, in the place of what was kept of it before.
 *
 * @param {string} id
 * @param {import("/desk/types.js").RelayStatus | null} status to say offline what programme this is
 * @throws {ApiError | Locked | DOMException} the last where the device is full
 */
export async function keep(id, status) {
  if (!isOpen()) throw new Locked("locked");
  const row = await lockRow();
  const { device, until_ms } = await post(`/api/cases/${id}/keep`, { device: row?.device ?? "" });
  await changeLock({ device, status: status ? await sealJson("status", status) : null });
  void navigator.storage?.persist?.();
  const kept_ms = Date.now();
  const one = /** @type {DeskCase} */ (await (await fetched(`/api/cases/${id}`)).json());
  await forget(id, { draft: true });
  /** @type {KeptCase} */
  const record = { id, user: row?.user ?? "", kept_ms, until_ms, bytes: 0, whole: false, paths: [], stamp: stampOf(one) };
  await write("cases", record);
  try {
    await keepParts(record, allPaths(one));
  } catch (error) {
    await forget(id, { draft: true });
    throw error;
  } finally {
    keptSet({ busy: null });
  }
  const whole = { ...record, whole: true };
  await write("cases", whole);
  keptPut("kept", id, whole);
}

/** @param {KeptCase} record @param {string[]} paths grows by what the answers name */
async function keepParts(record, paths) {
  for (let n = 0; n < paths.length; n++) {
    keptSet({ busy: { id: record.id, done: n, all: paths.length } });
    const answer = await fetched(paths[n]);
    if (answer.status === NOT_THERE) continue;
    const type = answer.headers.get("Content-Type") ?? "";
    const bytes = await answer.arrayBuffer();
    const at = `${record.id} ${paths[n]}`;
    await write("parts", { at, id: record.id, type, ...(await seal(at, bytes)) });
    record.bytes += bytes.byteLength;
    record.paths.push(paths[n]);
    paths.push(...namedIn(paths[n], type, bytes));
  }
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
  await tidyLock();
  keptSet({ unlocked: isOpen() });
}
