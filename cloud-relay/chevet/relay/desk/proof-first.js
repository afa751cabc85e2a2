/** Work that the relay may want the second factor for first: it is asked for in the place of the form. */

import { ApiError } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { PasskeyInstead } from "/desk/passkey-button.js";
import { proveByPasskey } from "/desk/passkey.js";

/** @typedef {import("/desk/passkey.js").Proof} Proof */
/** @typedef {(proof: Proof) => Promise<unknown>} Work */

/** @returns {{ attempt: (work: Work, proof?: Proof) => Promise<boolean>, asked: any, problem: any, busy: boolean }} `asked` stands in the place of the form, "" where nothing is asked */
export function useProof() {
  const [waits, setWaits] = useState(/** @type {{ work: Work } | null} */ (null));
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  async function attempt(/** @type {Work} */ work, /** @type {Proof} */ proof = {}) {
    setBusy(true);
    setProblem("");
    try {
      await work(proof);
      setWaits(null);
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.code === "second_factor_needed") setWaits({ work });
      else setProblem(error.sentence);
      if (error.field !== "code" && error.code !== "second_factor_needed") setWaits(null);
      return false;
    } finally {
      setBusy(false);
    }
  }
  const told = problem ? html`<p class="field-error" role="alert"><${Icon} name="circle-alert" />${problem}</p>` : "";
  const asked = waits ? html`<${Again} give=${(/** @type {Proof} */ proof) => attempt(waits.work, proof)} told=${setProblem} problem=${told} />` : "";
  return { attempt, asked, problem: waits ? "" : told, busy };
}

/** @param {{ give: (proof: Proof) => Promise<boolean>, told: (sentence: string) => void, problem: any }} props */
function Again({ give, told, problem }) {
  const [code, setCode] = useState("");
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    void give({ code: code.trim() }).then(() => setCode(""));
  };
  return html`<form class="field" onSubmit=${submit}><p>${t("passkey.again")}</p>
    <${PasskeyInstead} use=${async () => give(await proveByPasskey())} told=${told} />
    <label for="again-code">${t("factor.code")}</label>
    <input id="again-code" dir="ltr" autocomplete="one-time-code" autocapitalize="none" spellcheck=${false} maxlength="40" required autofocus value=${code} onInput=${(/** @type {any} */ e) => setCode(e.target.value)} />
    ${problem}<div class="dialog-foot"><button type="submit" class="button button-main">${t("factor.go_on")}</button></div></form>`;
}
