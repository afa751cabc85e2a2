/** "Keep for reading offline": how large, for how long, under which passphrase; and what is kept of a case now. */

import { ApiError } from "/shared/api.js";
import { date, number, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { PatientStrip } from "/desk/case.js";
import { Dialog } from "/desk/dialog.js";
import { able } from "/desk/kept-base.js";
import { forgetByHand, keep } from "/desk/kept-cases.js";
import { isOpen, lockRow, Locked, make, SHORTEST, unlock } from "/desk/kept-lock.js";
import { estimate, stampOf } from "/desk/kept-parts.js";
import { useKept } from "/desk/kept-state.js";
import { stateOf } from "/desk/offline.js";
import { bytesText } from "/desk/say.js";
import { now, set, useDesk } from "/desk/store.js";
import { lockSentence, Passphrase } from "/desk/unlock.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */

/** @param {{ one: DeskCase }} props what is kept of this case, and the button that keeps it */
export function KeepTool({ one }) {
  const { user, status } = useDesk();
  const { kept, busy, offline } = useKept();
  const mine = one.claimed_by?.id === user?.id && one.state === "claimed";
  const here = kept[one.id];
  const ask = () => set({ dialog: "keep" });
  if (busy?.id === one.id) return html`<${Busy} />`;
  if (!here) return mine && !offline && able() && status?.keep_days !== 0 ? html`<button type="button" class="button button-quiet" onClick=${ask}><${Icon} name="hard-drive" />${t("keep.title")}</button>` : null;
  const newer = !offline && here.stamp !== stampOf(one);
  return html`<div class="kept" role="group" aria-label=${t("keep.title")}>
    <span class=${`chip ${newer ? "chip-attention" : "chip-ok"}`}><${Icon} name=${newer ? "refresh-cw" : "hard-drive"} />${newer ? t("keep.newer") : t("keep.here", { time: stateOf(here.kept_ms) })}</span>
    <span class="soft small">${t("keep.until", { date: date(here.until_ms, { day: "numeric", month: "long" }), size: bytesText(here.bytes) })}</span>
    ${offline ? "" : html`<button type="button" class="button button-quiet" onClick=${ask}><${Icon} name="refresh-cw" />${t("keep.again")}</button>`}
    <button type="button" class="button button-quiet" onClick=${() => forgetByHand(one.id)}><${Icon} name="x" />${t("keep.remove")}</button></div>`;
}

function Busy() {
  const { busy } = useKept();
  if (!busy) return null;
  const share = busy.done / busy.all;
  return html`<span class="kept" role="status">${t("keep.busy")}<progress max="1" value=${share} aria-label=${t("keep.busy")}></progress><bdi dir="ltr">${number(Math.floor(share * 100), 0)} %</bdi></span>`;
}

/** @param {unknown} error */
function sentence(error) {
  if (error instanceof Locked) return lockSentence(error);
  if (error instanceof ApiError) return error.sentence;
  if (error instanceof DOMException && error.name === "QuotaExceededError") return t("keep.full");
  return t("keep.failed");
}

export function KeepDialog() {
  const { open, status } = useDesk();
  const [known, setKnown] = useState(/** @type {boolean | null} */ (null));
  useEffect(() => void lockRow().then((row) => setKnown(Boolean(row && row.user === now().user?.id))), []);
  if (!open || known === null) return null;
  return html`<${Dialog} title=${t("keep.title")}><${PatientStrip} one=${open} short />
    <p>${t("keep.size", { size: bytesText(estimate(open)) })}</p>
    <p class="soft">${t("keep.what", { n: status?.keep_days ?? 7 })}</p>
    <${KeepForm} one=${open} choose=${!known && !isOpen()} ask=${known && !isOpen()} /><//>`;
}

/** @param {{ one: DeskCase, choose: boolean, ask: boolean }} props `choose` a passphrase, or `ask` for the one there is */
function KeepForm({ one, choose, ask }) {
  const [phrase, setPhrase] = useState("");
  const [repeat, setRepeat] = useState("");
  const [problem, setProblem] = useState("");
  const { busy } = useKept();
  const { status, user } = useDesk();
  const lacks = choose && phrase.length < SHORTEST ? t("keep.short", { n: SHORTEST }) : choose && phrase !== repeat ? t("keep.unequal") : "";
  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    if (lacks) return setProblem(lacks);
    setProblem("");
    try {
      if (choose && user && !isOpen()) await make(user, phrase);
      else if (!isOpen()) await unlock(phrase);
      await keep(one.id, status);
      set({ dialog: "" });
    } catch (error) {
      setProblem(sentence(error));
    }
  }
  return html`<form class="unlock" onSubmit=${submit}>
    ${choose ? html`<p class="note note-attention"><${Icon} name="lock" /><span>${t("keep.protects")}</span></p>` : ""}
    ${choose || ask ? html`<${Passphrase} name="keep-phrase" label=${choose ? t("keep.choose", { n: SHORTEST }) : t("unlock.phrase")} value=${phrase} change=${setPhrase} fresh=${choose} wrong=${Boolean(problem)} />` : ""}
    ${choose ? html`<${Passphrase} name="keep-repeat" label=${t("keep.repeat")} value=${repeat} change=${setRepeat} fresh wrong=${Boolean(problem)} />` : ""}
    ${problem ? html`<p class="field-error" role="alert"><${Icon} name="circle-alert" />${problem}</p>` : ""}
    ${busy ? html`<${Busy} />` : ""}
    <div class="dialog-foot"><button type="submit" class="button button-main" disabled=${Boolean(busy)}><${Icon} name="hard-drive" />${t("keep.do")}</button></div>
  </form>`;
}
