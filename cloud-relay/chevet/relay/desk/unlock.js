/** The passphrase of what is kept on this device: asked where it is chosen, and where it opens. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { readKept } from "/desk/kept-cases.js";
import { handOver } from "/desk/kept-drafts.js";
import { Locked, unlock } from "/desk/kept-lock.js";
import { keptNow, keptSet } from "/desk/kept-state.js";

/** What went wrong, in words. @param {unknown} error */
export function lockSentence(error) {
  if (!(error instanceof Locked)) return "";
  if (error.code === "wrong_passphrase") return t("unlock.wrong", { n: error.left });
  return t(`unlock.${error.code}`);
}

/** @param {{ name: string, label: string, value: string, change: (text: string) => void, fresh?: boolean, wrong?: boolean }} props `fresh`: it is being chosen */
export function Passphrase({ name, label, value, change, fresh = false, wrong = false }) {
  return html`<div class="field"><label for=${name}>${label}</label>
    <input id=${name} type="password" autocomplete=${fresh ? "new-password" : "off"} required maxlength="200" aria-invalid=${wrong ? "true" : null} value=${value} onInput=${(/** @type {any} */ e) => change(e.target.value)} /></div>`;
}

/** @param {{ then?: () => void }} props opens what is kept */
export function Unlock({ then }) {
  const [phrase, setPhrase] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      await unlock(phrase);
      await readKept();
      await handOver();
      then?.();
    } catch (error) {
      if (!(error instanceof Locked)) throw error;
      setProblem(lockSentence(error));
      if (error.code === "emptied") keptSet({ kept: {}, unlocked: false, waiting: 0 });
    } finally {
      setBusy(false);
      setPhrase("");
    }
  }
  return html`<form class="unlock" onSubmit=${submit}>
    <${Passphrase} name="unlock" label=${t("unlock.phrase")} value=${phrase} change=${setPhrase} wrong=${Boolean(problem)} />
    ${problem ? html`<p class="field-error" role="alert"><${Icon} name="circle-alert" />${problem}</p>` : ""}
    <button type="submit" class="button button-main" disabled=${busy || !phrase} aria-busy=${busy}>${busy ? t("unlock.busy") : t("unlock.do")}</button>
  </form>`;
}

/** How many cases can be read. */
export const keptCount = () => Object.keys(keptNow().kept).length;
