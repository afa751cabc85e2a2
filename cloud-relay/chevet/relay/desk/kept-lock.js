/**
 * The lock on what is kept. All rows are sealed with one random key (AES-256-GCM); the key lies beside them only wrapped under
 * a passphrase (PBKDF2-HMAC-SHA256). Unlocked, it lives in this page and cannot be read out of it; the passphrase is never stored.
 */

import { all, change, erase, eraseAll, read, write } from "/desk/kept-base.js";

/** @typedef {import("/desk/kept-base.js").Lock} Lock */
/** @typedef {import("/desk/kept-base.js").Sealed} Sealed */
/** @typedef {import("/desk/types.js").User} User */

/** OWASP's password storage guidance for PBKDF2-HMAC-SHA256. */
const ROUNDS = 600_000;
export const SHORTEST = 12;
/** So many wrong passphrases in a row and everything kept is deleted. */
export const MOST_WRONG = 10;
const AES = "AES-GCM";

/** @type {{key: CryptoKey, user: User} | null} */
let held = null;

/** A lock that stays shut, and why. */
export class Locked extends Error {
  /** @param {"locked" | "wrong_passphrase" | "emptied" | "too_short"} code @param {number} [left] tries */
  constructor(code, left = 0) {
    super(code);
    this.code = code;
    this.left = left;
  }
}

export const isOpen = () => held !== null;
export const holder = () => held?.user ?? null;

/** Forget the key: what is kept stays, and opens with the passphrase alone. */
export function lock() {
  held = null;
}

/** @returns {Promise<Lock | undefined>} none where the browser has no store */
export const lockRow = () => read("lock", "lock");

/** @param {(row: Lock) => Partial<Lock>} changed @returns {Promise<Lock | undefined>} the lock as it was */
export const changeLock = (changed) => change("lock", "lock", changed);

/** Make the lock of this browser with its first passphrase. @param {User} user @param {string} passphrase */
export async function make(user, passphrase) {
  if (Array.from(passphrase).length < SHORTEST) throw new Locked("too_short");
  await eraseAll();
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const raw = crypto.getRandomValues(new Uint8Array(32));
  const wrapped = await sealWith(await stretched(passphrase, salt, ROUNDS), `key ${user.id}`, raw);
  const key = await imported(raw);
  raw.fill(0);
  const who = await sealWith(key, "who", text(user));
  await write("lock", { id: "lock", user: user.id, device: "", salt, rounds: ROUNDS, wrapped, who, status: null, wrong: 0, seen_ms: Date.now() });
  held = { key, user };
}

/** @param {string} passphrase @throws {Locked} */
export async function unlock(passphrase) {
  // Counted before it is tried: closing the page in between saves no try.
  const row = await changeLock(({ wrong }) => ({ wrong: wrong + 1 }));
  if (!row) throw new Locked("emptied");
  const raw = await openWith(await stretched(passphrase, row.salt, row.rounds), `key ${row.user}`, row.wrapped).catch(() => null);
  if (!raw) {
    if (row.wrong + 1 >= MOST_WRONG) {
      await eraseAll();
      throw new Locked("emptied");
    }
    throw new Locked("wrong_passphrase", MOST_WRONG - row.wrong - 1);
  }
  const key = await imported(new Uint8Array(raw));
  await changeLock(() => ({ wrong: 0 }));
  held = { key, user: parsed(await openWith(key, "who", row.who)) };
}

/** @param {string} at what it is and where it lies: nothing opens in the place of another @param {BufferSource} bytes @returns {Promise<Sealed>} */
export function seal(at, bytes) {
  if (!held) throw new Locked("locked");
  return sealWith(held.key, at, bytes);
}

/** @param {string} at @param {Sealed} sealed @returns {Promise<ArrayBuffer>} */
export function open(at, sealed) {
  if (!held) throw new Locked("locked");
  return openWith(held.key, at, sealed);
}

/** @param {string} at @param {unknown} value */
export const sealJson = (at, value) => seal(at, text(value));
/** @param {string} at @param {Sealed} sealed @returns {Promise<any>} */
export const openJson = async (at, sealed) => parsed(await open(at, sealed));

/** The present time, which never goes back here. */
export async function steadyNow() {
  const now = Date.now();
  const row = await changeLock(({ seen_ms }) => ({ seen_ms: Math.max(now, seen_ms) }));
  return Math.max(now, row?.seen_ms ?? 0);
}

/** Delete everything that is kept, and the lock. */
export async function empty() {
  lock();
  await eraseAll();
}

/** A lock without anything behind it is taken away: the next one chooses a passphrase anew. */
export async function tidyLock() {
  const rows = await Promise.all([all("cases"), all("drafts"), all("openings")]);
  if (rows.every((found) => found.length === 0)) {
    lock();
    await erase("lock", "lock");
  }
}

/** @param {string} passphrase @param {Uint8Array} salt @param {number} iterations */
async function stretched(passphrase, salt, iterations) {
  const base = await crypto.subtle.importKey("raw", new TextEncoder().encode(passphrase.normalize("NFKC")), "PBKDF2", false, ["deriveKey"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt: /** @type {BufferSource} */ (salt), iterations };
  return crypto.subtle.deriveKey(how, base, { name: AES, length: 256 }, false, ["encrypt", "decrypt"]);
}

/** @param {Uint8Array} raw */
const imported = (raw) => crypto.subtle.importKey("raw", /** @type {BufferSource} */ (raw), AES, false, ["encrypt", "decrypt"]);

/** @param {CryptoKey} key @param {string} at @param {BufferSource} bytes @returns {Promise<Sealed>} */
async function sealWith(key, at, bytes) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  return { iv, data: await crypto.subtle.encrypt({ name: AES, iv, additionalData: new TextEncoder().encode(at) }, key, bytes) };
}

/** @param {CryptoKey} key @param {string} at @param {Sealed} sealed */
function openWith(key, at, { iv, data }) {
  return crypto.subtle.decrypt({ name: AES, iv: /** @type {BufferSource} */ (iv), additionalData: new TextEncoder().encode(at) }, key, data);
}

/** @param {unknown} value */
const text = (value) => new TextEncoder().encode(JSON.stringify(value));
/** @param {ArrayBuffer} bytes @returns {any} */
const parsed = (bytes) => JSON.parse(new TextDecoder().decode(bytes));
