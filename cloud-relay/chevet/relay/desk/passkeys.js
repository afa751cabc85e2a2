/** The account's own passkeys: which there are, making one, removing one. */

import { ApiError, get, post } from "/shared/api.js";
import { clock, date, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { able, makePasskey, proveByPasskey } from "/desk/passkey.js";
import { PasskeyButton } from "/desk/passkey-button.js";

/** @typedef {import("/desk/passkey.js").Proof} Proof */
/** @typedef {{id: string, name: string, created_ms: number, used_ms: number | null}} Passkey */
/** @typedef {{passkeys: Passkey[], most: number, origin: string, possible: boolean}} Known */

/** Why none can be made here, "" where one can. @param {Known} known */
function obstacle(known) {
  if (!known.possible) return t("passkey.no_address");
  if (known.origin !== location.origin) return t("passkey.elsewhere", { origin: known.origin });
  return able() ? "" : t("error.passkey_unable");
}

/** @param {Passkey} one */
function lastUse(one) {
  return one.used_ms === null ? t("passkey.never_used") : t("sessions.seen", { time: `${date(one.used_ms)} ${clock(one.used_ms)}` });
}

export function Passkeys() {
  const [known, setKnown] = useState(/** @type {Known | null} */ (null));
  const [waits, setWaits] = useState(/** @type {{ work: (proof: Proof) => Promise<unknown> } | null} */ (null));
  const [sure, setSure] = useState("");
  const [problem, setProblem] = useState("");
  const read = () => get("/api/passkeys").then(setKnown, (error) => setProblem(error.sentence));
  useEffect(() => void read(), []);

  /** Do what may need the second factor first. @param {(proof: Proof) => Promise<unknown>} work @param {Proof} [proof] @returns {Promise<boolean>} whether it is done */
  async function attempt(work, proof = {}) {
    setProblem("");
    try {
      await work(proof);
      setWaits(null);
      setSure("");
      await read();
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.code === "second_factor_needed") setWaits({ work });
      else setProblem(error.sentence);
      return false;
    }
  }
  /** @param {string} id */
  const remove = (id) => attempt((proof) => post(`/api/passkeys/${id}/removal`, proof));
  /** @param {string} name */
  const add = (name) => attempt(async (proof) => post("/api/passkeys", { name, ...(await makePasskey(await post("/api/passkeys/options", proof))) }));

  const hindered = known ? obstacle(known) : "";
  return html`<section class="passkeys"><h3>${t("passkey.title")}</h3>
    <p class="soft small">${t("passkey.what")}</p>
    <ul class="sessions">${known?.passkeys.map((one) => html`<li key=${one.id}>
      <span><b dir="auto">${one.name}</b><span class="soft small">${lastUse(one)}</span></span>
      ${sure === one.id ? html`<button type="button" class="button button-bad" onClick=${() => remove(one.id)}>${t("passkey.really")}</button>`
        : html`<button type="button" class="button" aria-label=${t("passkey.remove_named", { name: one.name })} onClick=${() => setSure(one.id)}>${t("passkey.remove")}</button>`}
    </li>`)}</ul>
    ${problem ? html`<p class="field-error" role="alert"><${Icon} name="circle-alert" />${problem}</p>` : ""}
    ${waits ? html`<${Again} give=${(/** @type {Proof} */ proof) => attempt(waits.work, proof)} passkey=${Boolean(known?.passkeys.length) && !hindered} told=${setProblem} />`
      : hindered ? html`<p class="soft small">${hindered}</p>`
      : known && known.passkeys.length < known.most ? html`<${New} add=${add} />` : ""}
  </section>`;
}

/** @param {{ add: (name: string) => Promise<boolean> }} props */
function New({ add }) {
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    if (await add(name.trim())) setName("");
    setBusy(false);
  };
  return html`<form class="contact" onSubmit=${submit}><label for="passkey-name" class="small">${t("passkey.name")}</label>
    <div class="contact-line"><input id="passkey-name" maxlength="60" required autocomplete="off" dir="auto" placeholder=${t("passkey.name_like")} value=${name} onInput=${(/** @type {any} */ e) => setName(e.target.value)} />
      <button type="submit" class="button" disabled=${busy || !name.trim()}><${Icon} name="key-round" />${t("passkey.add")}</button></div></form>`;
}

/** The second factor once more. @param {{ give: (proof: Proof) => Promise<boolean>, passkey: boolean, told: (sentence: string) => void }} props */
function Again({ give, passkey, told }) {
  const [code, setCode] = useState("");
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    await give({ code: code.trim() });
    setCode("");
  };
  return html`<form class="contact" onSubmit=${submit}><p class="small">${t("passkey.again")}</p>
    ${passkey ? html`<${PasskeyButton} label=${t("passkey.use")} told=${told} use=${async () => give(await proveByPasskey())} />` : ""}
    <label for="passkey-code" class="small">${t("factor.code")}</label>
    <div class="contact-line"><input id="passkey-code" dir="ltr" autocomplete="one-time-code" autocapitalize="none" spellcheck=${false} maxlength="40" required autofocus value=${code} onInput=${(/** @type {any} */ e) => setCode(e.target.value)} />
      <button type="submit" class="button">${t("factor.go_on")}</button></div></form>`;
}
