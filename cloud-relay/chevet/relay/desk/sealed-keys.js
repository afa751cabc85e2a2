/**
 * The specialist's own keys, made in this browser: X25519 to open sealed cases, Ed25519 to sign what answers them.
 * The relay keeps them wrapped under a passphrase that never leaves the browser; unlocked they live in this page
 * alone and cannot be read out of it.
 */

import { decode, encode, hex, Unreadable } from "/desk/sealed-cbor.js";
import { joined, sha256, utf8 } from "/desk/sealed.js";

/** @typedef {import("/desk/sealed.js").Opener} Opener */
/** @typedef {{opener: Opener, signer: Opener}} OwnKeys */

const { subtle } = globalThis.crypto ?? {};
/** PBKDF2-HMAC-SHA256, OWASP Password Storage Cheat Sheet (2023); the passphrase's length does the rest. */
const ROUNDS = 600_000;
const FEWEST = 100_000;
const MOST = 10_000_000;
export const LEAST_PASSPHRASE = 16;
/** What stands before a raw private key in PKCS #8 (RFC 8410 section 7). */
const PKCS8 = /** @type {const} */ ({ X25519: "302e020100300506032b656e04220420", Ed25519: "302e020100300506032b657004220420" });

/** WebCrypto is there on https and on this very machine alone, X25519 since Chromium 133, Firefox 130, Safari 17. */
export async function able() {
  try {
    await subtle.generateKey({ name: "X25519" }, false, ["deriveBits"]);
    return true;
  } catch {
    return false;
  }
}

/** @param {"X25519" | "Ed25519"} name */
async function fresh(name) {
  const pair = /** @type {CryptoKeyPair} */ (await subtle.generateKey({ name }, true, name === "X25519" ? ["deriveBits"] : ["sign", "verify"]));
  const pkcs8 = new Uint8Array(await subtle.exportKey("pkcs8", pair.privateKey));
  return { secret: pkcs8.slice(-32), publicKey: new Uint8Array(await subtle.exportKey("raw", pair.publicKey)) };
}

/** @param {"X25519" | "Ed25519"} name @param {Uint8Array} secret @param {Uint8Array} publicKey @returns {Promise<Opener>} */
async function held(name, secret, publicKey) {
  const head = Uint8Array.from(PKCS8[name].match(/../g) ?? [], (two) => parseInt(two, 16));
  const usage = name === "X25519" ? "deriveBits" : "sign";
  const privateKey = await subtle.importKey("pkcs8", joined(head, secret), { name }, false, [usage]);
  return { privateKey, publicKey };
}

/** @param {string} passphrase @param {Uint8Array} salt @param {number} rounds */
async function guard(passphrase, salt, rounds) {
  const words = await subtle.importKey("raw", joined(utf8(passphrase.normalize("NFKC"))), "PBKDF2", false, ["deriveKey"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt: joined(salt), iterations: rounds };
  return subtle.deriveKey(how, words, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

/** @param {string} user */
function boundTo(user) {
  return joined(utf8(`chevet specialist key 1\0${user}`));
}

/** Make both keys; `wrapped` may be kept by anybody. @param {string} user @param {string} passphrase */
export async function makeKeys(user, passphrase) {
  if (passphrase.length < LEAST_PASSPHRASE) throw new Unreadable("short_passphrase");
  const [open, sign] = [await fresh("X25519"), await fresh("Ed25519")];
  const [salt, iv] = [crypto.getRandomValues(new Uint8Array(16)), crypto.getRandomValues(new Uint8Array(12))];
  const plain = encode([open.secret, open.publicKey, sign.secret, sign.publicKey]);
  const box = await subtle.encrypt({ name: "AES-GCM", iv, additionalData: boundTo(user) }, await guard(passphrase, salt, ROUNDS), joined(plain));
  return { wrapped: encode([1, ROUNDS, salt, iv, new Uint8Array(box)]), sealKey: open.publicKey, signKey: sign.publicKey };
}

/** Unlock the keys; they cannot be read out again. @param {string} user @param {string} passphrase @param {Uint8Array} wrapped @returns {Promise<OwnKeys>} */
export async function unlock(user, passphrase, wrapped) {
  const [version, rounds, salt, iv, box] = /** @type {any[]} */ (decode(wrapped));
  if (version !== 1 || !(rounds >= FEWEST && rounds <= MOST)) throw new Unreadable("malformed");
  const key = await guard(passphrase, salt, rounds);
  const plain = await subtle.decrypt({ name: "AES-GCM", iv: joined(iv), additionalData: boundTo(user) }, key, joined(box)).catch(() => {
    throw new Unreadable("wrong_passphrase");
  });
  const [openSecret, openPublic, signSecret, signPublic] = /** @type {Uint8Array[]} */ (decode(new Uint8Array(plain)));
  if (!openSecret || !openPublic || !signSecret || !signPublic) throw new Unreadable("malformed");
  return { opener: await held("X25519", openSecret, openPublic), signer: await held("Ed25519", signSecret, signPublic) };
}

/** What two people read to each other to know that it is the same key. @param {Uint8Array} sealKey @param {Uint8Array} signKey */
export async function fingerprint(sealKey, signKey) {
  const mark = await sha256(joined(utf8("chevet specialist print 1\0"), sealKey, signKey));
  return hex(mark.slice(0, 12)).replace(/(.{4})(?!$)/g, "$1 ");
}
