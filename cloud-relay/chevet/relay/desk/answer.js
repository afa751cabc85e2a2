/** The right-hand panel: take the case, write the opinion, sign it; or ask for a retake. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { VoiceField, lasting } from "/shared/voice-note.js";
import { Conflict, DraftState } from "/desk/answer-kept.js";
import { ClaimButton, PatientStrip } from "/desk/case.js";
import { GiveAway } from "/desk/give-away.js";
import { useKept } from "/desk/kept-state.js";
import { Medicines } from "/desk/medicines.js";
import { MessageForm } from "/desk/message.js";
import { NeedsLine } from "/desk/offline.js";
import { Phrases } from "/desk/phrases.js";
import { draftOf, set, setDraft, useDesk } from "/desk/store.js";
import { OpinionCard } from "/desk/thread.js";
import { word } from "/desk/say.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {import("/desk/types.js").Draft} Draft */

export const CERTAINTIES = ["certain", "probable", "possible"];
export const URGENCIES = ["routine", "urgent", "emergency"];

export function AnswerPanel() {
  const { open, side } = useDesk();
  const { offline } = useKept();
  if (!open) return html`<aside class="answer" aria-label=${t("answer.title")}></aside>`;
  return html`<aside class="answer" aria-label=${t("answer.title")}>
    <${PatientStrip} one=${open} short />
    <div class="answer-choice" role="group" aria-label=${t("answer.what")}>
      ${["answer", "message"].map((what) => html`<button type="button" key=${what} aria-pressed=${side === what} onClick=${() => set({ side: what === "answer" ? "answer" : "message" })}>${t(`answer.side_${what}`)}</button>`)}
    </div>
    <div class="answer-body"><${Conflict} one=${open} key=${`conflict ${open.id}`} />${side === "message" ? offline ? html`<${NeedsLine} what=${t("offline.message")} />` : html`<${MessageForm} one=${open} key=${open.id} />` : html`<${Answer} one=${open} />`}</div>
  </aside>`;
}

/** @param {{ one: DeskCase }} props */
function Answer({ one }) {
  const { user, drafts } = useDesk();
  const mine = one.claimed_by?.id === user?.id;
  const latest = one.opinions.at(-1);
  if (latest && !drafts[one.id]) return html`<${Answered} one=${one} mine=${mine} />`;
  if (mine) return html`<${Form} one=${one} />`;
  if (one.claimed_by) {
    return html`<p class="note"><${Icon} name="user" /><span>${t("answer.theirs", { name: one.claimed_by.name })}</span></p>`;
  }
  return html`<div class="answer-claim"><p>${t("answer.claim_first")}</p><${ClaimButton} one=${one} /><${GiveAway} one=${one} /></div>`;
}

/** Signed: what was sent, and whether it reached the site. @param {{ one: DeskCase, mine: boolean }} props */
function Answered({ one, mine }) {
  const latest = one.opinions.at(-1);
  if (!latest) return null;
  const { id, case: of, version, author, signed_ms, verified, voice, ...said } = latest;
  const amend = () => setDraft(one.id, { ...said, follow_up_date: said.follow_up_date ?? "", medicines: said.medicines ?? [], voice: null, keep_voice: Boolean(voice) });
  return html`<p class="note note-ok" role="status"><${Icon} name="circle-check" /><span>${t("answer.sent")}</span></p>
    <${OpinionCard} opinion=${latest} />
    ${mine ? html`<button type="button" class="button" onClick=${amend}>${t("answer.amend")}</button>` : html`<p class="soft small">${t("answer.amend_how")}</p><${ClaimButton} one=${one} />`}`;
}

/** The first thing that still lacks, or "". @param {Draft} draft */
export function lacking(draft) {
  if (!draft.impression.trim()) return "impression";
  if (!draft.certainty) return "certainty";
  if (!draft.advice.trim()) return "advice";
  if (!draft.urgency) return "urgency";
  return draft.transfer === null ? "transfer" : "";
}

/** @param {{ one: DeskCase }} props */
function Form({ one }) {
  const draft = draftOf(one.id);
  const change = (/** @type {Partial<Draft>} */ part) => setDraft(one.id, part);
  const lacks = lacking(draft);
  const { offline } = useKept();
  const review = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!lacks && !offline) set({ dialog: "sign" });
  };
  return html`<form class="answer-form" onSubmit=${review}>
    <${Text} name="impression" rows=${3} value=${draft.impression} change=${change} />
    <${Choice} name="certainty" options=${CERTAINTIES.map((code) => [code, word("certainty", code)])} value=${draft.certainty} choose=${(/** @type {string} */ certainty) => change({ certainty })} />
    <${Text} name="advice" rows=${4} value=${draft.advice} change=${change} />
    <${Voice} one=${one} draft=${draft} change=${change} />
    <${Medicines} stock=${one.stock ?? []} chosen=${draft.medicines} site=${one.site.name} change=${(/** @type {Draft["medicines"]} */ medicines) => change({ medicines })} />
    <${Choice} name="urgency" options=${URGENCIES.map((code) => [code, word("urgency", code)])} value=${draft.urgency} choose=${(/** @type {string} */ urgency) => change({ urgency })} />
    <${Choice} name="transfer" options=${[["yes", t("transfer.yes")], ["no", t("transfer.no")]]} value=${draft.transfer === null ? "" : draft.transfer ? "yes" : "no"} choose=${(/** @type {string} */ code) => change({ transfer: code === "yes" })} />
    <div class="field"><label for="follow-up">${t("field.follow_up")}</label>
      <input id="follow-up" type="date" value=${draft.follow_up_date} min=${new Date().toISOString().slice(0, 10)} onInput=${(/** @type {any} */ e) => change({ follow_up_date: e.target.value })} /></div>
    <${ClaimButton} one=${one} /><${GiveAway} one=${one} />
    <div class="answer-foot">
      <${DraftState} one=${one} />
      ${offline ? html`<p class="field-note" id="no-line">${t("offline.sign")}</p>` : ""}
      ${lacks ? html`<p class="field-note" id="lacks">${t("answer.lacks", { what: t(`field.${lacks}`) })}</p>` : ""}
      <button type="submit" class="button button-main" disabled=${Boolean(lacks) || offline} aria-describedby=${offline ? "no-line" : lacks ? "lacks" : null}><${Icon} name="send" />${t("answer.sign")}</button>
    </div>
  </form>`;
}

/** The same said aloud, or the voice of the version before. @param {{ one: DeskCase, draft: Draft, change: (part: Partial<Draft>) => void }} props */
function Voice({ one, draft, change }) {
  const before = one.opinions.at(-1)?.voice;
  return html`<div class="field"><span class="label">${t("field.voice")}</span>
    ${draft.keep_voice && before
      ? html`<p class="kept-voice"><span class="chip"><${Icon} name="mic" />${t("answer.voice_kept", { length: lasting(before.length_ms / 1000) })}</span>
          <button type="button" class="button button-quiet" onClick=${() => change({ keep_voice: false })}><${Icon} name="x" />${t("answer.voice_drop")}</button></p>`
      : html`<${VoiceField} path=${`/api/cases/${one.id}/voice`} voice=${draft.voice} change=${(/** @type {Draft["voice"]} */ voice) => change({ voice })} label=${t("field.voice")} key=${one.id} />`}
  </div>`;
}

/** @param {{ name: "impression" | "advice", rows: number, value: string, change: (part: Partial<Draft>) => void }} props */
function Text({ name, rows, value, change }) {
  return html`<div class="field"><label for=${name}>${t(`field.${name}`)}</label>
    <textarea id=${name} rows=${rows} dir="auto" maxlength="4000" placeholder=${t(`field.${name}_hint`)} value=${value} onInput=${(/** @type {any} */ e) => change({ [name]: e.target.value })}></textarea>
    <${Phrases} field=${name} text=${value} change=${(/** @type {string} */ text) => change({ [name]: text })} /></div>`;
}

/** One of few, as chips. @param {{ name: string, options: string[][], value: string, choose: (value: string) => void }} props */
export function Choice({ name, options, value, choose }) {
  return html`<fieldset class="choice"><legend>${t(`field.${name}`)}</legend>
    <div class="choice-chips">${options.map(([code, text]) => html`<label key=${code} class=${`choice-chip choice-${code}`}>
      <input type="radio" name=${name} value=${code} checked=${value === code} onChange=${() => choose(code)} /><span>${text}</span></label>`)}</div></fieldset>`;
}
