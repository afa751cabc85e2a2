/** A sealed case opened in this browser: its summary first, then part after part, and what was answered before. */

import { bytes, get, post } from "/shared/api.js";
import { fromText } from "/desk/sealed-answer.js";
import { decode, encode, idFromWire, Unreadable } from "/desk/sealed-cbor.js";
import { bundleKey, joined, openManifest, openObject } from "/desk/sealed.js";
import { readSummary } from "/desk/sealed-summary.js";

/** @typedef {import("/desk/sealed.js").Manifest} Manifest */
/** @typedef {import("/desk/sealed.js").Opener} Opener */
/** @typedef {import("/desk/sealed.js").Part} Part */
/** @typedef {import("/desk/sealed-summary.js").Study} Study */
/** @typedef {{one: any, said: Manifest, study: Study, key: CryptoKey}} Opened */
/** @typedef {import("/shared/types.js").Opinion} Opinion */
/** @typedef {import("/shared/types.js").Message} Message */
/** @typedef {{opinion: Opinion} | {message: Message} | {closed: string}} Said */

/** What a colleague's browser wrapped for us later than the box did. @param {any} one @param {string} bundle */
const wrapOf = (one, bundle) => (one.shared[bundle] ? fromText(one.shared[bundle]) : undefined);

/** @param {string} caseId @param {string} bundle @param {number} oid */
async function object(caseId, bundle, oid) {
  return new Uint8Array(await bytes(`/api/sealed/cases/${caseId}/bundles/${bundle}/${oid}`));
}

/** @param {string} id @param {Opener} opener @param {Uint8Array} dictionary @returns {Promise<Opened>} */
export async function openCase(id, opener, dictionary) {
  const one = await get(`/api/sealed/cases/${id}`);
  const said = await openManifest(fromText(one.manifest), fromText(one.verify_key));
  if (said.id !== id || said.origin !== one.site.code) throw new Unreadable("damaged");
  const key = await bundleKey(said, opener, wrapOf(one, id));
  const study = await readSummary((await openObject(said, 0, await object(id, id, 0), key)).data, dictionary);
  if (study.id !== id || study.site !== said.origin) throw new Unreadable("damaged");
  await post(`/api/sealed/cases/${id}/opened`);
  return { one, said, study, key };
}

/** The same case as the relay has it now: more of it has come, or more was said. @param {Opened} opened @returns {Promise<Opened>} */
export async function lookAgain(opened) {
  return { ...opened, one: await get(`/api/sealed/cases/${opened.said.id}`) };
}

/** Open what has arrived, previews first, as parts come in the order of their layers. @param {Opened} opened @param {(oid: number) => boolean} known what was opened before @param {(oid: number, part: Part | null) => boolean} take told null for a part that cannot be opened; false ends it */
export async function openParts({ one, said, key }, known, take) {
  for (const { oid, whole } of one.objects) {
    if (!oid || !whole || known(oid)) continue;
    const part = await object(one.id, one.id, oid).then((data) => openObject(said, oid, data, key)).catch(() => null);
    if (!take(oid, part)) return;
  }
}

/** Everything said about the case, in order; what was sealed before we joined, and not to us, says so. @param {Opened} opened @param {Opener} opener @param {Uint8Array} relayKey @returns {Promise<Said[]>} */
export async function openAnswers({ one }, opener, relayKey) {
  return Promise.all(one.answers.map((/** @type {any} */ answer) => openAnswer(one, answer, opener, relayKey).catch((error) => ({ closed: error.code ?? "damaged" }))));
}

/** @param {any} one @param {any} answer @param {Opener} opener @param {Uint8Array} relayKey @returns {Promise<Said>} */
async function openAnswer(one, answer, opener, relayKey) {
  const said = await openManifest(fromText(answer.manifest), relayKey);
  if (said.id !== answer.id || said.caseId !== one.id) throw new Unreadable("damaged");
  const part = await openObject(said, 0, await object(one.id, answer.id, 0), await bundleKey(said, opener, wrapOf(one, answer.id)));
  const [version, fields, mark] = /** @type {any[]} */ (decode(part.data));
  if (version !== 1 || part.kind !== said.kind || idFromWire(fields[0]) !== said.id || idFromWire(fields[1]) !== one.id) throw new Unreadable("damaged");
  const isOpinion = said.kind === "opinion";
  const author = fields[isOpinion ? 9 : 4];
  const verified = await vouched(joined(encode([said.kind, ...fields])), author, mark, relayKey);
  const who = { id: idFromWire(author[0]), name: author[1], specialty: author[2] };
  return isOpinion ? { opinion: opinion(fields, who, verified) } : { message: message(fields, who, verified) };
}

/** Whether the author signed it, and the programme knows the author. @param {Uint8Array<ArrayBuffer>} words @param {any[]} author @param {Uint8Array[]} mark @param {Uint8Array} relayKey */
async function vouched(words, author, [signature, publicKey, certificate], relayKey) {
  const holds = async (/** @type {Uint8Array} */ key, /** @type {Uint8Array} */ sign, /** @type {Uint8Array<ArrayBuffer>} */ data) => {
    const known = await crypto.subtle.importKey("raw", joined(key), { name: "Ed25519" }, false, ["verify"]);
    return crypto.subtle.verify("Ed25519", known, joined(sign), data);
  };
  try {
    if (!signature || !publicKey || !certificate) return false;
    return (await holds(publicKey, signature, words)) && (await holds(relayKey, certificate, joined(encode(["author", author, publicKey]))));
  } catch {
    return false;
  }
}

/** @param {any[]} row @param {any} author @param {boolean} verified @returns {Opinion} */
function opinion([id, , version, impression, certainty, advice, urgency, transfer, follow_up_date, , signed_ms, , medicines], author, verified) {
  const list = (medicines ?? []).map((/** @type {string[]} */ [name, how]) => ({ name, how }));
  return /** @type {any} */ ({ id: idFromWire(id), version, impression, certainty, advice, urgency, transfer, follow_up_date, author, signed_ms, verified, medicines: list });
}

/** @param {any[]} row @param {any} author @param {boolean} verified @returns {Message} */
function message([id, , kind, text, , at_ms, step, site, side], author, verified) {
  return /** @type {any} */ ({ id: idFromWire(id), kind, text, author, at_ms, step, site, side, verified });
}
