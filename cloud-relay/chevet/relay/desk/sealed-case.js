/** One sealed case, opened and shown in this browser; what cannot be shown here says so. */

import { bytes, get, post } from "/shared/api.js";
import { clock, t } from "/shared/i18n.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { QualityBadge, Value, word } from "/desk/say.js";
import { fromText, sendOpinion } from "/desk/sealed-answer.js";
import { Unreadable } from "/desk/sealed-cbor.js";
import { bundleKey, openManifest, openObject } from "/desk/sealed.js";
import { readSummary } from "/desk/sealed-summary.js";

/** @typedef {import("/desk/sealed-summary.js").Study} Study */
/** @typedef {{kind: string, media: string, recording: string, url: string}} Shown */
/** @typedef {{one: any, said: import("/desk/sealed.js").Manifest, study: Study, shown: Shown[], coming: number}} Opened */

const DRAWN = ["picture", "sound"];

/** @param {string} id @param {import("/desk/sealed-keys.js").OwnKeys} keys @param {Uint8Array} dictionary @returns {Promise<Opened>} */
export async function openCase(id, keys, dictionary) {
  const one = await get(`/api/sealed/cases/${id}`);
  const said = await openManifest(fromText(one.manifest), fromText(one.verify_key));
  if (said.id !== id || said.origin !== one.site.code) throw new Unreadable("damaged");
  const key = await bundleKey(said, keys.opener);
  const read = async (/** @type {number} */ oid) => openObject(said, oid, new Uint8Array(await bytes(`/api/sealed/cases/${id}/bundles/${id}/${oid}`)), key);
  const study = await readSummary((await read(0)).data, dictionary);
  if (study.id !== id || study.site !== said.origin) throw new Unreadable("damaged");
  await post(`/api/sealed/cases/${id}/opened`);
  const here = one.objects.filter((/** @type {any} */ part) => part.whole && (part.layer === 1 || part.layer === 2));
  const parts = await Promise.all(here.map((/** @type {any} */ part) => read(part.oid)));
  const shown = parts.filter((part) => DRAWN.includes(part.kind) && part.layer === 1);
  return {
    one, said, study, coming: one.objects.filter((/** @type {any} */ part) => !part.whole).length,
    shown: shown.map((part) => ({ ...part, url: URL.createObjectURL(new Blob([part.data.slice()], { type: part.media })) })),
  };
}

/** @param {{ opened: Opened, keys: any, certificate: string, now: number, again: () => void }} props */
export function CaseView({ opened, keys, certificate, now, again }) {
  const { study, shown, coming, said, one } = opened;
  useEffect(() => () => shown.forEach(({ url }) => URL.revokeObjectURL(url)), [opened]);
  const simulated = Boolean(said.label || study.label) || study.recordings.some((each) => each.simulated);
  const { patient } = study;
  return html`
    <section class="sealed-card">
      ${simulated ? html`<p><span class="htest">HTEST</span> ${t("training")}</p>` : ""}
      <div class="sealed-row"><b><bdi>${patient.name}</bdi></b><span>${patient.sex ? t(`sex.${patient.sex}`) : ""} ${patient.birthYear ?? ""}</span>
        <bdi dir="ltr">${patient.number}</bdi><span class="soft">${one.site.name}</span><span class="soft">${clock(study.closedMs)}</span><b>${word("urgency", study.urgency)}</b></div>
      <h1>${word("visit_reason", study.reason)}</h1><p class="sealed-question"><bdi>${study.question}</bdi></p>
      <h2>${t("sealed.vitals")}</h2>
      <div class="sealed-row">${study.vitals.map((vital) => html`<span class="chip" key=${vital.kind}>${word("vital", vital.kind)} <${Value} value=${vital.value} unit=${vital.unit} /></span>`)}</div>
    </section>
    <section class="sealed-card"><h2>${t("sealed.recordings")}</h2>
      ${study.recordings.map((each) => html`<${RecordingView} one=${each} shown=${shown.filter(({ recording }) => recording === each.id)} key=${each.id} />`)}
      ${coming ? html`<p class="soft">${t("sealed.coming")}: ${coming}</p>` : ""}
      <p class="soft">${t("sealed.missing")}</p></section>
    <${Answer} opened=${opened} keys=${keys} certificate=${certificate} now=${now} again=${again} />`;
}

/** @param {{ one: import("/desk/sealed-summary.js").Recording, shown: Shown[] }} props */
function RecordingView({ one, shown }) {
  return html`<article class="sealed-part">
    <div class="sealed-row"><b>${t(`step.${one.step}`)}</b><span>${[one.site, one.side].filter(Boolean).join(" ")}</span><${QualityBadge} ...${one.quality} /></div>
    <div class="sealed-row">${one.measurements.map((each) => html`<span title=${each.method} key=${each.kind}><bdi dir="ltr">${word("measure", each.kind)}</bdi> <${Value} value=${each.value} unit=${each.unit} digits=${0} /></span>`)}
      ${one.measurements.length ? html`<span class="chip chip-info">${t("draft")}</span>` : ""}</div>
    ${shown.map(({ kind, url }) => (kind === "picture" ? html`<img src=${url} alt=${t(`step.${one.step}`)} key=${url} />` : html`<audio controls src=${url} key=${url}></audio>`))}
    <p class="soft">${shown.length ? t("sealed.preview") : t("sealed.not_shown")}</p></article>`;
}

/** @param {{ opened: Opened, keys: any, certificate: string, now: number, again: () => void }} props */
function Answer({ opened, keys, certificate, now, again }) {
  const [told, setTold] = useState("");
  /** @param {any} event */
  async function send(event) {
    event.preventDefault();
    const form = new FormData(event.target);
    const text = (/** @type {string} */ name) => String(form.get(name) ?? "");
    const words = { impression: text("impression"), advice: text("advice"), certainty: text("certainty"), urgency: text("urgency"), transfer: form.get("transfer") !== null };
    try {
      await post(`/api/sealed/cases/${opened.one.id}/claim`);
      await sendOpinion(opened.one, opened.said, keys, certificate, words, now);
      setTold(t("sealed.sent"));
      again();
    } catch (error) {
      setTold(/** @type {any} */ (error).sentence ?? t("sealed.error.damaged"));
    }
  }
  const choice = (/** @type {string} */ name, /** @type {string[]} */ options) => html`<label>${t(`sealed.${name}`)}<select name=${name} required>
    <option value=""></option>${options.map((code) => html`<option value=${code} key=${code}>${t(`${name}.${code}`)}</option>`)}</select></label>`;
  return html`<section class="sealed-card"><h2>${t("answer.title")}</h2>
    ${told ? html`<p role="status">${told}</p>` : html`<form onSubmit=${send}>
      <label>${t("sealed.impression")}<textarea name="impression" required maxlength="8000" rows="3"></textarea></label>
      <label>${t("sealed.advice")}<textarea name="advice" maxlength="8000" rows="3"></textarea></label>
      ${choice("certainty", ["certain", "probable", "possible"])}${choice("urgency", ["routine", "urgent", "emergency"])}
      <label class="sealed-check"><input type="checkbox" name="transfer" />${t("sealed.transfer")}</label>
      <button class="button button-main">${t("sealed.send")}</button></form>`}</section>`;
}
