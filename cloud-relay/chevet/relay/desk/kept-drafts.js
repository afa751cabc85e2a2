/**
 * Where the words of an answer lie while it is written: at the relay, or sealed on this device while there is no line.
 * Nothing is signed by itself. A draft that the relay does not take, because something changed meanwhile, stays and says why.
 */

import { ApiError, get, put, remove } from "/shared/api.js";
import { all, erase, write } from "/desk/kept-base.js";
import { isOpen, openJson, sealJson } from "/desk/kept-lock.js";
import { keptNow, keptPut, keptSet } from "/desk/kept-state.js";
import { now, set, setDraft, whenDrafted } from "/desk/store.js";

/** @typedef {import("/desk/types.js").Draft} Draft */
/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** What a draft was written from: so many opinions, and the relay's draft of this time. @typedef {{opinions: number, replaces_ms: number}} Ground */

/** After the last key: a thin line need not carry every letter. */
const SETTLE_MS = 1200;
const FIELDS = /** @type {const} */ (["impression", "certainty", "advice", "urgency", "transfer", "follow_up_date", "medicines", "keep_voice"]);

/** @type {Map<string, Ground>} */
const grounds = new Map();
/** @type {Map<string, number>} */
const timers = new Map();
/** @type {Set<string>} drafts whose last words the relay does not have */
const unsaved = new Set();
/** @type {Map<string, string[]>} words that went out by case and were not answered: they may lie at the relay all the same */
const unheard = new Map();

/** Follow what is written. */
export function keepDrafts() {
  whenDrafted((id) => {
    clearTimeout(timers.get(id));
    if (!now().drafts[id]) return void settled(id);
    if (!grounds.has(id)) grounds.set(id, { opinions: now().open?.opinions.length ?? 0, replaces_ms: now().open?.draft?.at_ms ?? 0 });
    unsaved.add(id);
    timers.set(id, window.setTimeout(() => void save(id), SETTLE_MS));
  });
}

/** Signed, or thrown away: nothing of it stays here. @param {string} id */
async function settled(id) {
  for (const memory of [grounds, unsaved, unheard]) memory.delete(id);
  keptPut("saved", id, null);
  keptPut("conflicts", id, null);
  await erase("drafts", id).catch(() => undefined); // a browser without a store kept nothing
  await count();
}

async function count() {
  keptSet({ waiting: (await all("drafts").catch(() => [])).length });
}

/** The relay's draft of a case that was opened: what is being written here goes before it. @param {DeskCase} one */
export function takeUp(one) {
  const { draft } = one;
  if (!draft || now().drafts[one.id]) return;
  const { opinions, at_ms, ...words } = draft;
  grounds.set(one.id, { opinions, replaces_ms: at_ms });
  setDraft(one.id, words, true);
  keptPut("saved", one.id, { where: "relay", at_ms });
}

/** @type {Map<string, Promise<void>>} the last save of each case */
const saves = new Map();

/** One after the other: each replaces what the one before left at the relay. @param {string} id */
function save(id) {
  const turn = (saves.get(id) ?? Promise.resolve()).then(() => saveNow(id));
  saves.set(id, turn.catch(() => undefined));
  return turn;
}

/**
 * Do what settles a draft while nothing of it is on its way: what came after it would be refused.
 * @template T @param {string} id @param {() => Promise<T>} settle @returns {Promise<T>}
 */
export async function undisturbed(id, settle) {
  clearTimeout(timers.get(id));
  await saves.get(id);
  try {
    return await settle();
  } catch (error) {
    if (unsaved.has(id)) void save(id); // it is being written on
    throw error;
  }
}

/** @param {string} id */
async function saveNow(id) {
  if (keptNow().conflicts[id]) return void saveHere(id);
  const draft = now().drafts[id];
  const ground = grounds.get(id);
  if (!draft || !ground) return;
  const words = Object.fromEntries(FIELDS.map((field) => [field, draft[field]]));
  try {
    const { at_ms } = await put(`/api/cases/${id}/draft`, { ...words, ...ground });
    if (grounds.get(id) !== ground) return; // signed or thrown away meanwhile
    grounds.set(id, { ...ground, replaces_ms: at_ms });
    unheard.delete(id);
    if (now().drafts[id] === draft) unsaved.delete(id);
    keptPut("saved", id, { where: "relay", at_ms });
    await erase("drafts", id).catch(() => undefined);
    await count();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (grounds.get(id) !== ground) return;
    if (error.code === "unreachable") unheard.set(id, [...(unheard.get(id) ?? []), textOf(words)]);
    if (error.code === "draft_changed" && (await isOurs(id, ground))) return saveNow(id);
    await refused(id, error);
  }
}

/** @param {Record<string, unknown>} words */
const textOf = (words) => JSON.stringify(FIELDS.map((field) => words[field]));

/** Whether the relay's draft went out from this page, and only its answer was lost; if so what is written here replaces it. @param {string} id @param {Ground} ground */
async function isOurs(id, ground) {
  const sent = unheard.get(id);
  if (!sent) return false;
  const one = await get(`/api/cases/${id}`).catch(() => null);
  if (!one?.draft || !sent.includes(textOf(one.draft)) || grounds.get(id) !== ground) return false;
  unheard.delete(id);
  grounds.set(id, { ...ground, replaces_ms: one.draft.at_ms });
  return true;
}

/** @param {string} id @param {ApiError} error */
async function refused(id, error) {
  const changed = ["not_claimed", "answered_meanwhile", "draft_changed", "not_found"];
  if (changed.includes(error.code)) {
    keptPut("conflicts", id, { code: error.code });
  }
  await saveHere(id);
}

/** Sealed on this device, where the case is kept and open; else the words are in this page alone. @param {string} id */
async function saveHere(id) {
  const draft = now().drafts[id];
  if (!draft) return;
  const at_ms = Date.now();
  const sealed = isOpen() && Boolean(keptNow().kept[id] || keptNow().conflicts[id]);
  if (sealed) await write("drafts", { id, ...(await sealJson(`draft ${id}`, { draft, ground: grounds.get(id) })) });
  keptPut("saved", id, { where: sealed ? "device" : "page", at_ms });
  await count();
}

/** Whose drafts these are: somebody else who signs in here sees none of them. @type {string} */
let writer = "";

/** @param {string} user who is signed in, "" for nobody any more */
export function draftsOf(user) {
  if (user && writer && user === writer) return;
  if (writer) {
    for (const timer of timers.values()) clearTimeout(timer);
    for (const memory of [grounds, timers, unsaved, unheard]) memory.clear();
    set({ drafts: {} });
    keptSet({ saved: {}, conflicts: {} });
  }
  writer = user;
}

/** Sealed drafts of this device into the page, once it is unlocked. */
export async function readDrafts() {
  for (const row of await all("drafts")) {
    if (unsaved.has(row.id)) continue;
    const { draft, ground } = await openJson(`draft ${row.id}`, row);
    grounds.set(row.id, ground);
    unsaved.add(row.id);
    setDraft(row.id, draft, true);
    keptPut("saved", row.id, { where: "device", at_ms: Date.now() });
  }
}

/** How many drafts would be lost with what is on this device and in this page. */
export function unsent() {
  return Math.max(unsaved.size, keptNow().waiting);
}

/** There is a line again: give the relay what it does not have. */
export async function handOver() {
  if (isOpen()) await readDrafts();
  for (const id of unsaved) await save(id);
}

/** The reader chose their own words over what is at the relay. @param {string} id */
export async function keepMine(id) {
  const { open } = now();
  grounds.set(id, { opinions: open?.id === id ? open.opinions.length : (grounds.get(id)?.opinions ?? 0), replaces_ms: open?.draft?.at_ms ?? 0 });
  keptPut("conflicts", id, null);
  await save(id);
}

/** The reader throws a draft away, here and at the relay. @param {string} id @param {boolean} everywhere */
export async function throwAway(id, everywhere) {
  setDraft(id, null);
  if (everywhere) await remove(`/api/cases/${id}/draft`).catch(() => undefined);
}
