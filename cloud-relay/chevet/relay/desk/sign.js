/** The last look before signing: for whom, what, where to; then the password that unlocks the key. */

import { ApiError } from "/shared/api.js";
import { date, number, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { lasting } from "/shared/voice-note.js";
import { sign } from "/desk/actions.js";
import { PatientStrip } from "/desk/case.js";
import { Dialog } from "/desk/dialog.js";
import { MedicineList } from "/desk/medicines.js";
import { PasskeyInstead } from "/desk/passkey-button.js";
import { proveByPasskey } from "/desk/passkey.js";
import { UrgencyChip, word } from "/desk/say.js";
import { draftOf, useDesk } from "/desk/store.js";

export function SignDialog() {
  const { open, user } = useDesk();
  const [password, setPassword] = useState("");
  const [needsCode, setNeedsCode] = useState(false);
  const [code, setCode] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  if (!open) return null;
  const draft = draftOf(open.id);

  /** @param {Event} event */
  function submit(event) {
    event.preventDefault();
    void give(code.trim() ? { code: code.trim() } : {});
  }

  /** @param {import("/desk/passkey.js").Proof} proof */
  async function give(proof) {
    setBusy(true);
    setProblem("");
    try {
      await sign(password, proof);
    } catch (error) {
      setBusy(false);
      setCode("");
      if (error instanceof ApiError && error.field === "code") {
        setNeedsCode(true);
        setProblem(error.code === "second_factor_needed" ? "" : error.sentence);
        return;
      }
      const wrong = error instanceof ApiError && error.code === "wrong_password";
      setProblem(wrong ? t("error.wrong_signing_password") : error instanceof ApiError ? error.sentence : t("error.other"));
      setPassword("");
    }
  }

  return html`<${Dialog} title=${t("sign.title")} look="dialog-sign">
    <${PatientStrip} one=${open} short />
    <div class="sign-look">
      <p class="said-text"><bdi>${draft.impression}</bdi></p><p class="said-text"><bdi>${draft.advice}</bdi></p>
      <${MedicineList} medicines=${draft.medicines} />
      ${draft.voice ? html`<p><span class="chip"><${Icon} name="mic" />${t("sign.voice", { length: lasting(draft.voice.length_ms / 1000), size: number(draft.voice.bytes / 1000, 0) })}</span></p>` : ""}
      <p class="chips"><span class="chip">${word("certainty", draft.certainty)}</span><${UrgencyChip} urgency=${draft.urgency} />
        <span class=${`chip ${draft.transfer ? "chip-bad" : ""}`}>${draft.transfer ? t("transfer.yes") : t("transfer.no")}</span>
        ${draft.follow_up_date ? html`<span class="chip">${t("opinion.follow_up", { date: date(Date.parse(draft.follow_up_date)) })}</span>` : ""}</p>
    </div>
    <p class="soft small">${t("sign.where", { site: open.site.name })}</p>
    <form onSubmit=${submit}>
      <input class="visually-hidden" type="text" name="username" autocomplete="username" value=${user?.id} readonly tabindex="-1" aria-hidden="true" />
      <div class="field"><label for="sign-password">${t("sign.password")}</label>
        <input id="sign-password" type="password" autocomplete="current-password" required autofocus aria-invalid=${problem ? "true" : null} value=${password} onInput=${(/** @type {any} */ e) => setPassword(e.target.value)} /></div>
      ${needsCode ? html`<${PasskeyInstead} use=${async () => give(await proveByPasskey())} told=${setProblem} />` : ""}
      ${needsCode ? html`<div class="field"><label for="sign-code">${t("sign.code")}</label>
        <input id="sign-code" name="code" dir="ltr" autocomplete="one-time-code" autocapitalize="none" spellcheck=${false} maxlength="40" required autofocus value=${code} onInput=${(/** @type {any} */ e) => setCode(e.target.value)} /></div>` : ""}
      ${problem ? html`<p class="field-error" role="alert"><${Icon} name="circle-alert" />${problem}</p>` : ""}
      <div class="dialog-foot"><button type="submit" class="button button-main" disabled=${busy}><${Icon} name="send" />${t("answer.sign")}</button></div>
    </form>
  <//>`;
}
