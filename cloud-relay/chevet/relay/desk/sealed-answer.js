/** An opinion on a sealed case: signed by the specialist's own key, sealed to the site, both in this browser. */

import { put } from "/shared/api.js";
import { encode, hex, idToWire, Unreadable } from "/desk/sealed-cbor.js";
import { joined, kid, sealPart } from "/desk/sealed.js";

/** @typedef {{impression: string, advice: string, certainty: string, urgency: string, transfer: boolean}} Words */

/** @param {string} text @returns {Uint8Array} */
export function fromText(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** @param {Uint8Array} data */
export function toText(data) {
  return btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join(""));
}

/** A UUIDv7 of this moment. @param {number} now Unix ms */
function freshId(now) {
  const raw = crypto.getRandomValues(new Uint8Array(16));
  for (let at = 5, left = now; at >= 0; at--, left = Math.floor(left / 256)) raw[at] = left % 256;
  raw[6] = 0x70 | ((raw[6] ?? 0) & 15);
  raw[8] = 0x80 | ((raw[8] ?? 0) & 63);
  return hex(raw).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** @param {any} one the case as the relay hands it out @param {import("/desk/sealed.js").Manifest} said @param {import("/desk/sealed-keys.js").OwnKeys} keys @param {string} certificate @param {Words} words @param {number} now */
export async function sendOpinion(one, said, keys, certificate, words, now) {
  const site = fromText(one.seal_key);
  const name = hex(await kid(site));
  if (!said.wraps.some(([who]) => hex(who) === name)) throw new Unreadable("damaged"); // the study's own site, or nobody
  const id = freshId(now);
  const author = [idToWire(one.author.id), one.author.name, one.author.specialty];
  const fields = [
    idToWire(id), idToWire(one.id), one.next_version, words.impression, words.certainty, words.advice,
    words.urgency, words.transfer, null, author, now, said.label,
  ];
  const signed = joined(encode(["opinion", ...fields]));
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", keys.signer.privateKey, signed));
  const part = encode([1, fields, [signature, keys.signer.publicKey, fromText(certificate)]]);
  const receivers = [site, ...one.readers.map(fromText)];
  const { ciphertext, wraps } = await sealPart(id, "opinion", "application/vnd.chevet.opinion", part, receivers);
  await put(`/api/sealed/cases/${one.id}/answers`, {
    id, kind: "opinion", version: one.next_version, ciphertext: toText(ciphertext),
    wraps: wraps.map((wrap) => ({ kid: toText(wrap.kid), wrap: toText(wrap.wrap) })),
  });
}
