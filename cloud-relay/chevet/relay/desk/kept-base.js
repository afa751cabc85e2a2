/** The browser's own store of what is kept for reading offline. Everything in it but ids, addresses and times is sealed. */

const NAME = "chevet-kept";
/** Each store with the field that names its rows. */
const STORES = /** @type {const} */ ({ lock: "id", cases: "id", parts: "at", drafts: "id", openings: "number" });

/** @typedef {keyof typeof STORES} Store */
/** @typedef {{iv: Uint8Array, data: ArrayBuffer}} Sealed */
/**
 * @typedef {object} Lock one for the whole browser
 * @property {"lock"} id
 * @property {string} user whose it is
 * @property {string} device the relay's name for this browser
 * @property {Uint8Array} salt
 * @property {number} rounds
 * @property {Sealed} wrapped the key of all rows, under the passphrase
 * @property {Sealed} who the user, sealed
 * @property {Sealed | null} status the relay's status, sealed
 * @property {number} wrong passphrases in a row that were wrong
 * @property {number} seen_ms the latest time seen here: a clock that is put back prolongs nothing
 */
/** @typedef {{id: string, user: string, kept_ms: number, until_ms: number, bytes: number, paths: string[], stamp: string}} KeptCase */
/** @typedef {Sealed & {at: string, id: string, type: string}} Part */

/** @type {Promise<IDBDatabase> | null} */
let opening = null;

/** @returns {Promise<IDBDatabase>} */
function base() {
  opening ??= new Promise((done, failed) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => Object.entries(STORES).forEach(([name, keyPath]) => asked.result.createObjectStore(name, { keyPath, autoIncrement: name === "openings" }));
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
  opening.catch(() => {
    opening = null;
  });
  return opening;
}

/**
 * @template T
 * @param {Store} store
 * @param {IDBTransactionMode} mode
 * @param {(rows: IDBObjectStore) => IDBRequest<T>} work
 * @returns {Promise<T>} once it is on the disk
 */
async function within(store, mode, work) {
  const transaction = (await base()).transaction(store, mode, { durability: "strict" });
  const asked = work(transaction.objectStore(store));
  await finished(transaction);
  return asked.result;
}

/** @param {IDBTransaction} transaction @returns {Promise<void>} */
function finished(transaction) {
  return new Promise((done, failed) => {
    transaction.oncomplete = () => done();
    transaction.onabort = () => failed(transaction.error);
  });
}

/** @param {Store} store @param {IDBValidKey} key @returns {Promise<any>} undefined where there is none */
export const read = (store, key) => within(store, "readonly", (rows) => rows.get(key));
/** @param {Store} store @returns {Promise<any[]>} */
export const all = (store) => within(store, "readonly", (rows) => rows.getAll());
/** @param {Store} store @param {unknown} row */
export const write = (store, row) => within(store, "readwrite", (rows) => rows.put(row));
/**
 * Change a row where there is one, in one step: another page of this browser may be changing it too.
 *
 * @param {Store} store
 * @param {IDBValidKey} key
 * @param {(row: any) => object} changed the fields that become others
 * @returns {Promise<any>} the row as it was, undefined where there is none
 */
export const change = (store, key, changed) =>
  within(store, "readwrite", (rows) => {
    const asked = rows.get(key);
    asked.onsuccess = () => asked.result && rows.put({ ...asked.result, ...changed(asked.result) });
    return asked;
  });
/** @param {Store} store @param {IDBValidKey | IDBKeyRange} key */
export const erase = (store, key) => within(store, "readwrite", (rows) => rows.delete(key));

/** Every part of one case: ids are of one length, so no other begins like it. @param {string} id */
export const partsOf = (id) => IDBKeyRange.bound(`${id} `, `${id} \uffff`);

/** Put a case with its parts in the place of what was kept of it: all of it or, where the device is full, nothing. @param {KeptCase} one @param {Part[]} parts */
export async function replaceCase(one, parts) {
  const transaction = (await base()).transaction(["cases", "parts"], "readwrite", { durability: "strict" });
  const there = transaction.objectStore("parts");
  there.delete(partsOf(one.id));
  parts.forEach((part) => there.put(part));
  transaction.objectStore("cases").put(one);
  await finished(transaction);
}

/** Everything, the wrapped key first: what is left of the rest cannot be opened. */
export async function eraseAll() {
  for (const store of /** @type {Store[]} */ (Object.keys(STORES))) await within(store, "readwrite", (rows) => rows.clear());
}

/** Whether this browser can keep anything: it needs its store, its cryptography and its locks, which it gives to https pages alone. */
export function able() {
  return typeof indexedDB !== "undefined" && Boolean(crypto.subtle) && "locks" in navigator && "serviceWorker" in navigator;
}
