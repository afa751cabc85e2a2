/** After the password: choose one's own, enrol an authenticator app the first time, give its code every other time. */

import { ApiError, post } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { enter } from "/desk/actions.js";
import { PasskeyInstead } from "/desk/passkey-button.js";
import { FirstPassword } from "/desk/own-password.js";
import { enterByPasskey } from "/desk/passkey.js";
import { set, useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").User} User */

/** @param {{ given?: string }} props the password as it was just typed */
export function SecondFactor({ given = "" }) {
  const { next } = useDesk();
  const [kept, setKept] = useState(/** @type {{user: User, codes: string[]} | null} */ (null));
  if (kept) return html`<${RecoveryCodes} codes=${kept.codes} done=${() => open(kept.user)} />`;
  if (next === "password") return html`<${FirstPassword} given=${given} done=${(/** @type {any} */ answer) => (answer.user ? open(answer.user) : set({ next: answer.next }))} />`;
  if (next === "enrol") return html`<${Enrol} done=${(/** @type {User} */ user, /** @type {string[]} */ codes) => setKept({ user, codes })} />`;
  return html`<${Give} />`;
}

/** The second factor, at every sign-in but the first. */
function Give() {
  const [problem, setProblem] = useState("");
  const byPasskey = async () => {
    try {
      await open((await enterByPasskey("second")).user);
    } catch (error) {
      setProblem(sentence(error));
    }
  };
  return html`<div class="factor">
    <${PasskeyInstead} use=${byPasskey} told=${setProblem} />
    ${problem ? html`<p class="field-error" role="alert"><${Icon} name="circle-alert" />${problem}</p>` : ""}
    <p>${t("factor.give")}</p>
    <${CodeForm} to="/api/session/code" recovery done=${(/** @type {any} */ answer) => open(answer.user)} />
  </div>`;
}

/** @param {User} user */
async function open(user) {
  set({ user, next: "", ended: false, trouble: "" });
  await enter();
}

/** Back to name and password; a half-open session ends by itself. */
const startOver = () => set({ next: "", ended: false });

/** @param {unknown} error @returns {string} */
function sentence(error) {
  if (!(error instanceof ApiError)) return t("error.other");
  if (error.code === "not_signed_in") set({ next: "", ended: true });
  return error.sentence;
}

/** @param {{ done: (user: User, codes: string[]) => void }} props */
function Enrol({ done }) {
  const [app, setApp] = useState(/** @type {{secret: string, qr: string} | null} */ (null));
  const [problem, setProblem] = useState("");
  useEffect(() => {
    post("/api/session/factor").then(setApp, (error) => setProblem(sentence(error)));
  }, []);
  const groups = app?.secret.match(/.{1,4}/g)?.join(" ") ?? "";
  return html`<div class="factor">
    <p>${t("factor.why")}</p>
    <ol class="factor-steps"><li>${t("factor.install")}</li><li>${t("factor.scan")}</li><li>${t("factor.type")}</li></ol>
    ${app ? html`<img class="factor-qr" src=${app.qr} alt=${t("factor.qr")} width="196" height="196" />
      <details><summary>${t("factor.by_hand")}</summary><p><bdi dir="ltr" class="factor-secret">${groups}</bdi></p></details>` : ""}
    ${problem ? html`<p class="field-error" role="alert"><${Icon} name="circle-alert" />${problem}</p>` : ""}
    <${CodeForm} to="/api/session/factor/confirm" done=${(/** @type {any} */ answer) => done(answer.user, answer.recovery_codes)} />
  </div>`;
}

/** @param {{ to: string, recovery?: boolean, done: (answer: any) => void }} props */
function CodeForm({ to, recovery, done }) {
  const [code, setCode] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      done(await post(to, { code: code.trim() }));
    } catch (error) {
      setProblem(sentence(error));
      setCode("");
    }
    setBusy(false);
  }

  return html`<form onSubmit=${submit}>
    <div class="field"><label for="code">${t("factor.code")}</label>
      <input id="code" name="code" dir="ltr" inputmode=${recovery ? null : "numeric"} autocomplete="one-time-code" autocapitalize="none" spellcheck=${false} maxlength="40" required autofocus aria-invalid=${problem ? "true" : null} aria-describedby=${recovery ? "code-hint" : null} value=${code} onInput=${(/** @type {any} */ e) => setCode(e.target.value)} />
      ${recovery ? html`<p id="code-hint" class="soft small">${t("factor.recovery_hint")}</p>` : ""}</div>
    ${problem ? html`<p class="field-error" role="alert"><${Icon} name="circle-alert" />${problem}</p>` : ""}
    <button type="submit" class="button button-main" disabled=${busy}>${t("factor.go_on")}</button>
    <button type="button" class="link" onClick=${startOver}>${t("factor.start_over")}</button>
  </form>`;
}

/** @param {{ codes: string[], done: () => void }} props */
function RecoveryCodes({ codes, done }) {
  return html`<div class="factor">
    <p class="note note-attention"><${Icon} name="triangle-alert" /><span>${t("factor.keep")}</span></p>
    <ul class="factor-codes" dir="ltr">${codes.map((code) => html`<li key=${code}>${code}</li>`)}</ul>
    <button type="button" class="button button-main" autofocus onClick=${done}>${t("factor.kept")}</button>
  </div>`;
}
