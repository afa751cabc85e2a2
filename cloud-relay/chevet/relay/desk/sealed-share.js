/** Cases for a colleague who was confirmed after they were sealed: this browser opens their keys and wraps them anew. */

import { get, put } from "/shared/api.js";
import { date, t } from "/shared/i18n.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { fromText, toText } from "/desk/sealed-answer.js";
import { encode, idToWire, Unreadable } from "/desk/sealed-cbor.js";
import { fingerprint } from "/desk/sealed-keys.js";
import { sentence } from "/desk/sealed-write.js";
import { joined, kid, openManifest, rawKey, wrapKey } from "/desk/sealed.js";

/** @typedef {{user: string, name: string, specialty: string, fingerprint: string, seal_key: string, sign_key: string, certificate: string, registered_ms: number}} Colleague */

/** Whether the programme vouches for the colleague, and the fingerprint shown is that of these very keys. @param {Colleague} one @param {Uint8Array} relayKey */
async function known(one, relayKey) {
  const [seal, sign] = [fromText(one.seal_key), fromText(one.sign_key)];
  const key = await crypto.subtle.importKey("raw", joined(relayKey), { name: "Ed25519" }, false, ["verify"]);
  const words = joined(encode(["author", [idToWire(one.user), one.name, one.specialty], sign]));
  return (await fingerprint(seal, sign)) === one.fingerprint && crypto.subtle.verify("Ed25519", key, joined(fromText(one.certificate)), words);
}

/** Wrap the keys of one case, and of what was answered to it, for a colleague. @param {string} id @param {import("/desk/sealed.js").Opener} opener @param {Colleague} to @param {Uint8Array} relayKey */
export async function shareCase(id, opener, to, relayKey) {
  const one = await get(`/api/sealed/cases/${id}`);
  const receiver = fromText(to.seal_key);
  /** @type {Record<string, string>} */
  const wraps = {};
  const add = async (/** @type {string} */ bundle, /** @type {string} */ manifest, /** @type {Uint8Array} */ signer) => {
    const said = await openManifest(fromText(manifest), signer);
    if (said.id !== bundle || said.caseId !== id) throw new Unreadable("damaged");
    const raw = await rawKey(said, opener, one.shared[bundle] ? fromText(one.shared[bundle]) : undefined);
    wraps[bundle] = toText(await wrapKey(bundle, raw, receiver));
  };
  await add(id, one.manifest, fromText(one.verify_key));
  // An answer that is not sealed to us cannot be passed on; the case itself can.
  for (const answer of one.answers) await add(answer.id, answer.manifest, relayKey).catch(() => undefined);
  await put(`/api/sealed/cases/${id}/wraps`, { user: to.user, wraps });
}

/** @param {{ cases: any[], opener: import("/desk/sealed.js").Opener, relayKey: Uint8Array, again: () => void }} props */
export function Colleagues({ cases, opener, relayKey, again }) {
  const [all, setAll] = useState(/** @type {(Colleague & {kid: string})[]} */ ([]));
  useEffect(() => {
    const read = async () => {
      const { colleagues } = await get("/api/sealed/colleagues");
      setAll(await Promise.all(colleagues.map(async (/** @type {Colleague} */ one) => ({ ...one, kid: toText(await kid(fromText(one.seal_key))) }))));
    };
    void read().catch(() => setAll([]));
  }, []);
  const without = (/** @type {{kid: string}} */ one) => cases.filter((each) => each.yours && !each.answered_ms && !each.kids.includes(one.kid));
  const left = all.filter((one) => without(one).length);
  if (!left.length) return null;
  return html`<section class="sealed-card"><h2>${t("sealed.share.title")}</h2><p>${t("sealed.share.text")}</p>
    ${left.map((one) => html`<${ShareWith} one=${one} cases=${without(one)} opener=${opener} relayKey=${relayKey} again=${again} key=${one.user} />`)}</section>`;
}

/** @param {{ one: Colleague, cases: any[], opener: import("/desk/sealed.js").Opener, relayKey: Uint8Array, again: () => void }} props */
function ShareWith({ one, cases, opener, relayKey, again }) {
  const [told, setTold] = useState("");
  const [busy, setBusy] = useState(false);
  /** @param {any} event */
  async function send(event) {
    event.preventDefault();
    setBusy(true);
    try {
      if (!(await known(one, relayKey))) throw new Unreadable("other_fingerprint");
      for (const each of cases) await shareCase(each.id, opener, one, relayKey);
      again();
    } catch (error) {
      setTold(sentence(error));
    }
    setBusy(false);
  }
  return html`<article class="sealed-part"><div class="sealed-row"><b>${one.name}</b><span>${t(`specialty.${one.specialty}`)}</span><span class="soft">${date(one.registered_ms)}</span></div>
    <bdi class="sealed-print" dir="ltr">${one.fingerprint}</bdi>
    <form onSubmit=${send}><label class="sealed-check"><input type="checkbox" required />${t("sealed.share.heard")}</label>
      ${told ? html`<p role="alert">${told}</p>` : ""}<button class="button" disabled=${busy}>${t("sealed.share.go", { n: cases.length })}</button></form></article>`;
}
