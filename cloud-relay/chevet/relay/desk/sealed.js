/**
 * Bundles that the relay cannot open, opened and sealed in the browser (docs/formats.md, sections 6 and 7).
 * HPKE is RFC 9180 in base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, by WebCrypto alone.
 */

import { decode, decodeHead, encode, hex, idFromWire, Unreadable } from "/desk/sealed-cbor.js";

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/** @typedef {{privateKey: CryptoKey, publicKey: Uint8Array}} Opener a private X25519 key, and its public one raw */
/** @typedef {{layer: number, size: number, sha256: Uint8Array}} Entry */
/** @typedef {{id: string, kind: string, caseId: string, origin: string, priority: number, label: string, createdMs: number, objects: Entry[], wraps: [Uint8Array, Uint8Array][]}} Manifest */
/** @typedef {{oid: number, layer: number, kind: string, media: string, recording: string, index: number, data: Uint8Array}} Part */

const { subtle } = globalThis.crypto;
const CHUNK = 4096;
const PLAIN = 4080;
const ENC = 32;
const KEM = Uint8Array.of(0x4b, 0x45, 0x4d, 0x00, 0x20); // "KEM", DHKEM(X25519, HKDF-SHA256)
/** "HPKE", KEM, KDF and AEAD, with the AEAD's key size. Ours is AES-256; RFC 9180 has its worked example with AES-128. */
const AES_256 = { id: Uint8Array.of(0x48, 0x50, 0x4b, 0x45, 0x00, 0x20, 0x00, 0x01, 0x00, 0x02), size: 32 };
export const AES_128 = { id: Uint8Array.of(0x48, 0x50, 0x4b, 0x45, 0x00, 0x20, 0x00, 0x01, 0x00, 0x01), size: 16 };
const EMPTY = new Uint8Array(0);

/** @param {string} words */
export function utf8(words) {
  return new TextEncoder().encode(words);
}

/** @param {...Uint8Array} pieces @returns {Bytes} */
export function joined(...pieces) {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** @param {number} value @param {number} size big-endian */
function number(value, size) {
  const found = new Uint8Array(size);
  for (let at = size - 1, left = value; at >= 0; at--, left = Math.floor(left / 256)) found[at] = left % 256;
  return found;
}

/** @param {Uint8Array} data @returns {Promise<Bytes>} */
export async function sha256(data) {
  return new Uint8Array(await subtle.digest("SHA-256", joined(data)));
}

/** A key's short name. @param {Uint8Array} publicKey raw */
export async function kid(publicKey) {
  return (await sha256(publicKey)).slice(0, 8);
}

/** @param {Uint8Array} suite @param {string} label @param {Uint8Array} data */
function labeled(suite, label, data) {
  return joined(utf8("HPKE-v1"), suite, utf8(label), data);
}

/** LabeledExtract without a salt: an HMAC key is filled with zeros anyway. @param {Uint8Array} suite @param {string} label @param {Uint8Array} data */
async function extract(suite, label, data) {
  const key = await subtle.importKey("raw", new Uint8Array(32), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await subtle.sign("HMAC", key, labeled(suite, label, data)));
}

/** LabeledExtract, then LabeledExpand. @param {Uint8Array} suite @param {Uint8Array} salt @param {Bytes} secret labeled already @param {string} label @param {Uint8Array} info @param {number} size */
async function derived(suite, salt, secret, label, info, size) {
  const key = await subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const words = joined(number(size, 2), labeled(suite, label, info));
  return new Uint8Array(await subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: joined(salt), info: words }, key, size * 8));
}

/** @param {Uint8Array} raw */
async function publicOf(raw) {
  return subtle.importKey("raw", joined(raw), { name: "X25519" }, true, []);
}

/** The context of one message. @param {CryptoKey} own @param {Uint8Array} other public key @param {Uint8Array} enc @param {Uint8Array} receiver public key @param {Uint8Array} info @param {typeof AES_256} suite */
async function context(own, other, enc, receiver, info, suite) {
  const shared = new Uint8Array(await subtle.deriveBits({ name: "X25519", public: await publicOf(other) }, own, 256));
  const secret = await derived(KEM, EMPTY, labeled(KEM, "eae_prk", shared), "shared_secret", joined(enc, receiver), 32);
  const schedule = joined(Uint8Array.of(0), await extract(suite.id, "psk_id_hash", EMPTY), await extract(suite.id, "info_hash", info));
  const start = labeled(suite.id, "secret", EMPTY);
  const raw = await derived(suite.id, secret, start, "key", schedule, suite.size);
  return { key: await aes(raw), iv: await derived(suite.id, secret, start, "base_nonce", schedule, 12) };
}

/** @param {Uint8Array} raw */
async function aes(raw) {
  return subtle.importKey("raw", joined(raw), "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** Open one HPKE message: 32 bytes of encapsulation, then ciphertext. @param {Opener} opener @param {Uint8Array} sealed @param {Uint8Array} info @param {Uint8Array} [aad] @param {typeof AES_256} [suite] */
export async function hpkeOpen(opener, sealed, info, aad = EMPTY, suite = AES_256) {
  try {
    const enc = sealed.subarray(0, ENC);
    const { key, iv } = await context(opener.privateKey, enc, enc, opener.publicKey, info, suite);
    return new Uint8Array(await subtle.decrypt({ name: "AES-GCM", iv, additionalData: joined(aad) }, key, joined(sealed.subarray(ENC))));
  } catch {
    throw new Unreadable("undecryptable");
  }
}

/** Seal one HPKE message. @param {Uint8Array} receiver public key @param {Uint8Array} plain @param {Uint8Array} info @param {Uint8Array} [aad] */
export async function hpkeSeal(receiver, plain, info, aad = EMPTY) {
  const pair = /** @type {CryptoKeyPair} */ (await subtle.generateKey({ name: "X25519" }, true, ["deriveBits"]));
  const enc = new Uint8Array(await subtle.exportKey("raw", pair.publicKey));
  const { key, iv } = await context(pair.privateKey, receiver, enc, receiver, info, AES_256);
  return joined(enc, new Uint8Array(await subtle.encrypt({ name: "AES-GCM", iv, additionalData: joined(aad) }, key, joined(plain))));
}

/** What a manifest says, once its origin's signature holds. @param {Uint8Array} data @param {Uint8Array} verifyKey raw Ed25519 @returns {Promise<Manifest>} */
export async function openManifest(data, verifyKey) {
  const [body, signature] = /** @type {Uint8Array[]} */ (decode(data));
  if (!(body instanceof Uint8Array) || !(signature instanceof Uint8Array)) throw new Unreadable("malformed");
  const key = await subtle.importKey("raw", joined(verifyKey), { name: "Ed25519" }, false, ["verify"]);
  if (!(await subtle.verify("Ed25519", key, joined(signature), joined(utf8("chevet manifest 1\0"), body)))) throw new Unreadable("bad_signature");
  const row = /** @type {any[]} */ (decode(body));
  if (row[0] !== 1 || row.length !== 11) throw new Unreadable("malformed");
  return {
    id: idFromWire(row[1]), kind: row[2], caseId: idFromWire(row[3]), origin: row[4], createdMs: row[6][0], priority: row[7], label: row[8],
    objects: row[9].map((/** @type {any[]} */ [layer, size, hash]) => ({ layer, size, sha256: hash })),
    wraps: row[10],
  };
}

/** The key of a bundle, 32 bytes. @param {Manifest} manifest @param {Opener} opener @param {Uint8Array} [later] what a colleague wrapped for us after the box had sealed it */
export async function rawKey(manifest, opener, later) {
  const name = hex(await kid(opener.publicKey));
  const wrap = manifest.wraps.find(([one]) => hex(one) === name)?.[1] ?? later;
  if (!wrap) throw new Unreadable("not_a_recipient");
  return hpkeOpen(opener, wrap, infoOf(manifest.id));
}

/** The key of a bundle, unwrapped. @param {Manifest} manifest @param {Opener} opener @param {Uint8Array} [later] @returns {Promise<CryptoKey>} */
export async function bundleKey(manifest, opener, later) {
  return aes(await rawKey(manifest, opener, later));
}

/** The key of a bundle for one more receiver. @param {string} id @param {Uint8Array} raw @param {Uint8Array} receiver public key */
export async function wrapKey(id, raw, receiver) {
  return hpkeSeal(receiver, raw, infoOf(id));
}

/** @param {string} id of a bundle */
function infoOf(id) {
  return utf8(`chevet bundle key 1\0${id}`);
}

/** How one chunk is bound to its place. @param {string} id @param {number} oid @param {number} seq @param {number} chunks */
function place(id, oid, seq, chunks) {
  const [which, turn] = [number(oid, 4), number(seq, 8)];
  return { name: "AES-GCM", iv: joined(which, turn), additionalData: joined(utf8(`${id}\0`), which, turn, number(chunks, 8)) };
}

/** One part from its ciphertext, every chunk verified. @param {Manifest} manifest @param {number} oid @param {Uint8Array} ciphertext @param {CryptoKey} key @returns {Promise<Part>} */
export async function openObject(manifest, oid, ciphertext, key) {
  const entry = manifest.objects[oid];
  if (!entry) throw new Unreadable("malformed");
  if (ciphertext.length !== entry.size || hex(await sha256(ciphertext)) !== hex(entry.sha256)) throw new Unreadable("bad_hash");
  const chunks = Math.ceil(entry.size / CHUNK);
  const pieces = [];
  for (let seq = 0; seq < chunks; seq++) {
    const piece = joined(ciphertext.subarray(seq * CHUNK, (seq + 1) * CHUNK));
    pieces.push(subtle.decrypt(place(manifest.id, oid, seq, chunks), key, piece));
  }
  const plain = await Promise.all(pieces).catch(() => {
    throw new Unreadable("undecryptable");
  });
  const [head, data] = decodeHead(joined(...plain.map((one) => new Uint8Array(one))));
  const [kind, media, recording, index] = /** @type {any[]} */ (head);
  return { oid, layer: entry.layer, kind, media, recording: idFromWire(recording), index, data };
}

/** Seal a bundle of one part of layer 0. @param {string} id @param {string} kind @param {string} media @param {Uint8Array} data @param {Uint8Array[]} receivers public keys */
export async function sealPart(id, kind, media, data, receivers) {
  const raw = crypto.getRandomValues(new Uint8Array(32));
  const key = await aes(raw);
  const plain = joined(encode([kind, media, "", 0]), data);
  const chunks = Math.ceil(plain.length / PLAIN);
  const pieces = [];
  for (let seq = 0; seq < chunks; seq++) pieces.push(subtle.encrypt(place(id, 0, seq, chunks), key, plain.slice(seq * PLAIN, (seq + 1) * PLAIN)));
  const ciphertext = joined(...(await Promise.all(pieces)).map((one) => new Uint8Array(one)));
  const wraps = await Promise.all(receivers.map(async (one) => ({ kid: await kid(one), wrap: await hpkeSeal(one, raw, infoOf(id)) })));
  return { ciphertext, wraps };
}
