/** Opinions, notes and retake requests of a sealed case: signed by the specialist's own key, sealed to the site, both in this browser. */

import { put } from "/shared/api.js";
import { encode, hex, idToWire, Unreadable } from "/desk/sealed-cbor.js";
import { joined, kid, sealPart } from "/desk/sealed.js";

/** @typedef {{impression: string, advice: string, certainty: string, urgency: string, transfer: boolean, follow_up_date: string | null, medicines: import("/shared/types.js").Medicine[]}} Words */

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

/** The site's own key, where the study says it is that site's: the relay names it, and could name another. @param {any} one @param {import("/desk/sealed.js").Manifest} said */
async function siteKey(one, said) {
  const site = fromText(one.seal_key);
  const name = hex(await kid(site));
  if (!said.wraps.some(([who]) => hex(who) === name)) throw new Unreadable("damaged"); // the study's own site, or nobody
  return site;
}

/** Sign, seal and send. @param {any} one @param {Uint8Array} site @param {import("/desk/sealed-keys.js").OwnKeys} keys @param {string} certificate @param {{id: string, kind: "opinion" | "message", version: number, fields: any[], proof?: import("/desk/passkey.js").Proof}} said */
async function send(one, site, keys, certificate, { id, kind, version, fields, proof }) {
  const signed = joined(encode([kind, ...fields]));
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", keys.signer.privateKey, signed));
  const part = encode([1, fields, [signature, keys.signer.publicKey, fromText(certificate)]]);
  const receivers = [site, ...one.readers.map(fromText)];
  const { ciphertext, wraps } = await sealPart(id, kind, `application/vnd.chevet.${kind}`, part, receivers);
  await put(`/api/sealed/cases/${one.id}/answers`, {
    id, kind, version, ciphertext: toText(ciphertext),
    wraps: wraps.map((wrap) => ({ kid: toText(wrap.kid), wrap: toText(wrap.wrap) })), ...proof,
  });
}

/** @param {any} one */
const authorOf = (one) => [idToWire(one.author.id), one.author.name, one.author.specialty];

/** @param {any} one the case as the relay hands it out @param {import("/desk/sealed.js").Manifest} said @param {import("/desk/sealed-keys.js").OwnKeys} keys @param {string} certificate @param {Words} words @param {number} now @param {import("/desk/passkey.js").Proof} [proof] the second factor */
export async function sendOpinion(one, said, keys, certificate, words, now, proof) {
  const site = await siteKey(one, said);
  const id = freshId(now);
  const version = one.next_version;
  const fields = [
    idToWire(id), idToWire(one.id), version, words.impression, words.certainty, words.advice,
    words.urgency, words.transfer, words.follow_up_date, authorOf(one), now, said.label,
    ...(words.medicines.length ? [words.medicines.map(({ name, how }) => [name, how])] : []), // as the study room writes them: absent, or a list
  ];
  await send(one, site, keys, certificate, { id, kind: "opinion", version, fields, proof: proof ?? {} });
}

/** A note, or the request to take a recording again. @param {any} one @param {import("/desk/sealed.js").Manifest} said @param {import("/desk/sealed-keys.js").OwnKeys} keys @param {string} certificate @param {{kind: string, text: string, step: string, site: string, side: string}} words @param {number} now */
export async function sendMessage(one, said, keys, certificate, { kind, text, step, site, side }, now) {
  const to = await siteKey(one, said);
  const id = freshId(now);
  const fields = [idToWire(id), idToWire(one.id), kind, text, authorOf(one), now, step, site, side, said.label];
  await send(one, to, keys, certificate, { id, kind: "message", version: 1, fields });
}
