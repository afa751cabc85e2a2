/** What a specialist says of a sealed case: the opinion with its second factor, a note, a recording to take again. */

import { ApiError, post } from "/shared/api.js";
import { has, t } from "/shared/i18n.js";
import { html, useRef, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Medicines } from "/desk/medicines.js";
import { ready, Where } from "/desk/message.js";
import { PasskeyInstead } from "/desk/passkey-button.js";
import { proveByPasskey } from "/desk/passkey.js";
import { sendMessage, sendOpinion } from "/desk/sealed-answer.js";

/** @typedef {import("/desk/sealed-open.js").Opened} Opened */
/** @typedef {{ opened: Opened, keys: import("/desk/sealed-keys.js").OwnKeys, certificate: string, now: () => number, again: () => void }} Writing */

/** @param {any} error */
export function sentence(error) {
  const key = `sealed.error.${error?.code}`;
  return has(key) ? t(key) : (error?.sentence ?? t("sealed.error.damaged"));
}

/** @param {string} name @param {string[]} options */
const choice = (name, options) => html`<label>${t(`sealed.${name}`)}<select name=${name} required>
  <option value=""></option>${options.map((code) => html`<option value=${code} key=${code}>${t(`${name}.${code}`)}</option>`)}</select></label>`;

/** @param {Writing} props */
export function Answer({ opened, keys, certificate, now, again }) {
  const [told, setTold] = useState({ done: false, text: "" });
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [medicines, setMedicines] = useState(/** @type {import("/shared/types.js").Medicine[]} */ ([]));
  const filled = useRef(/** @type {HTMLFormElement | null} */ (null));
  /** @param {import("/desk/passkey.js").Proof} [passkey] */
  async function give(passkey) {
    const form = new FormData(filled.current ?? undefined);
    const text = (/** @type {string} */ name) => String(form.get(name) ?? "").trim();
    const words = {
      impression: text("impression"), advice: text("advice"), certainty: text("certainty"), urgency: text("urgency"),
      transfer: form.get("transfer") !== null, follow_up_date: text("follow_up_date") || null,
      medicines,
    };
    setBusy(true);
    try {
      await post(`/api/sealed/cases/${opened.one.id}/claim`);
      await sendOpinion(opened.one, opened.said, keys, certificate, words, now(), passkey ?? (text("code") ? { code: text("code") } : {}));
      setTold({ done: true, text: t("sealed.sent") });
      again();
    } catch (error) {
      const needs = error instanceof ApiError && error.field === "code";
      if (needs) setAsked(true);
      setTold({ done: false, text: needs && !asked ? "" : sentence(error) });
    }
    setBusy(false);
  }
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    void give();
  };
  const byPasskey = async () => give(await proveByPasskey());
  const wrong = (/** @type {string} */ said) => setTold({ done: false, text: said });
  return html`<section class="sealed-card"><h2>${t("answer.title")}</h2>
    ${told.done ? html`<p role="status">${told.text}</p>` : html`<form ref=${filled} onSubmit=${send}>
      <label>${t("sealed.impression")}<textarea name="impression" required dir="auto" maxlength="8000" rows="3"></textarea></label>
      <label>${t("sealed.advice")}<textarea name="advice" dir="auto" maxlength="8000" rows="3"></textarea></label>
      <${Medicines} stock=${opened.one.stock} chosen=${medicines} site=${opened.one.site.name} change=${setMedicines} />
      <div class="sealed-pair">${choice("certainty", ["certain", "probable", "possible"])}${choice("urgency", ["routine", "urgent", "emergency"])}</div>
      <label>${t("sealed.follow_up")}<input type="date" name="follow_up_date" /></label>
      <label class="sealed-check"><input type="checkbox" name="transfer" />${t("sealed.transfer")}</label>
      ${asked ? html`<${PasskeyInstead} use=${byPasskey} told=${wrong} />` : ""}
      ${asked ? html`<label>${t("sign.code")}<input name="code" dir="ltr" autocomplete="one-time-code" autocapitalize="none" spellcheck=${false} maxlength="40" required autofocus /></label>` : ""}
      ${told.text ? html`<p role="alert">${told.text}</p>` : ""}
      <button class="button button-main" disabled=${busy}>${t("sealed.send")}</button></form>`}</section>`;
}

const NOWHERE = { step: "", site: "", side: "" };

/** @param {Writing} props */
export function Write({ opened, keys, certificate, now, again }) {
  const [kind, setKind] = useState("retake");
  const [place, setPlace] = useState(NOWHERE);
  const [told, setTold] = useState({ done: false, text: "" });
  const [busy, setBusy] = useState(false);
  /** @param {any} event */
  async function send(event) {
    event.preventDefault();
    const text = String(new FormData(event.target).get("text") ?? "").trim();
    const where = kind === "retake" ? place : NOWHERE;
    setBusy(true);
    try {
      await sendMessage(opened.one, opened.said, keys, certificate, { kind, text, ...where }, now());
      setTold({ done: true, text: t("sealed.sent") });
      event.target.reset();
      setPlace(NOWHERE);
      again();
    } catch (error) {
      setTold({ done: false, text: sentence(error) });
    }
    setBusy(false);
  }
  const switchTo = (/** @type {string} */ code) => {
    setKind(code);
    setTold({ done: false, text: "" });
  };
  return html`<section class="sealed-card"><h2>${t("sealed.write")}</h2>
    <div class="choice-chips" role="group" aria-label=${t("message.kind")}>${["retake", "note"].map((code) => html`<button type="button" class="chip-button" key=${code} aria-pressed=${kind === code} onClick=${() => switchTo(code)}>${t(`message.${code}`)}</button>`)}</div>
    <form onSubmit=${send}>
      ${kind === "retake" ? html`<${Where} place=${place} choose=${setPlace} />` : ""}
      <label>${t(kind === "retake" ? "message.how" : "message.text")}<textarea name="text" dir="auto" maxlength="2000" rows="3" required=${kind === "note"}></textarea></label>
      ${told.text ? html`<p role=${told.done ? "status" : "alert"}>${told.text}</p>` : ""}
      ${kind === "retake" && !ready(place) ? html`<p class="soft">${t("message.touch_first")}</p>` : ""}
      <button class="button button-main" disabled=${busy || (kind === "retake" && !ready(place))}>${t(kind === "retake" ? "message.send_retake" : "message.send_note")}</button></form></section>`;
}
