/** A note to the site, or a retake asked for by touching the place on the body. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { SPOTS } from "/shared/instruments/skin-map.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { VoiceField } from "/shared/voice-note.js";
import { write } from "/desk/actions.js";
import { word } from "/desk/say.js";
import { set, useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {{step: string, site: string, side: string}} Place */

/** Electrodes by name too: on a small drawing they stand closer than a finger. */
const ELECTRODES = ["V1", "V2", "V3", "V4", "V5", "V6", "R", "L", "N", "F"];
const STEPS = ["ecg", "heart_sound", "lung_sound", "otoscopy", "photo", "oximetry"];
/** The drawings on which a place of the step is touched. @type {Record<string, string[]>} */
const MAPS = { ecg: ["ecg"], heart_sound: ["heart"], lung_sound: ["lung-front", "lung-back"] };

/** Whether it is said what to take again: skin is photographed again at a place. @param {Place} place */
export const ready = (place) => Boolean(place.step && (place.step !== "photo" || place.site));

/** @param {{ one: DeskCase }} props */
export function MessageForm({ one }) {
  const { retake } = useDesk();
  const [kind, setKind] = useState(/** @type {"retake" | "note"} */ ("retake"));
  const [text, setText] = useState("");
  const [voice, setVoice] = useState(/** @type {import("/shared/types.js").SpokenDraft | null} */ (null));
  const [sent, setSent] = useState(false);
  const place = retake ?? { step: "", site: "", side: "" };
  const complete = kind === "note" ? Boolean(text.trim() || voice) : ready(place);

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    const where = kind === "retake" ? place : { step: "", site: "", side: "" };
    if (!(await write({ kind, ...where, text: text.trim(), voice: voice?.text ?? "" }))) return;
    setText("");
    setVoice(null);
    setSent(true);
  }

  return html`<form class="answer-form" onSubmit=${submit}>
    ${sent ? html`<p class="note note-ok" role="status"><${Icon} name="circle-check" /><span>${t("message.sent", { site: one.site.name })}</span></p>` : ""}
    <div class="choice-chips" role="group" aria-label=${t("message.kind")}>
      ${["retake", "note"].map((code) => html`<button type="button" class="chip-button" key=${code} aria-pressed=${kind === code} onClick=${() => setKind(code === "note" ? "note" : "retake")}>${t(`message.${code}`)}</button>`)}
    </div>
    ${kind === "retake" ? html`<${Where} place=${place} choose=${(/** @type {Place} */ chosen) => set({ retake: chosen })} />` : ""}
    <div class="field"><label for="message-text">${t(kind === "retake" ? "message.how" : "message.text")}</label>
      <textarea id="message-text" rows="3" dir="auto" maxlength="2000" placeholder=${t(kind === "retake" ? "message.how_hint" : "message.text_hint")} value=${text} onInput=${(/** @type {any} */ e) => setText(e.target.value)}></textarea></div>
    <${VoiceField} path=${`/api/cases/${one.id}/voice`} voice=${voice} change=${setVoice} />
    <div class="answer-foot">
      ${complete ? "" : html`<p class="field-note">${t(kind === "retake" ? "message.touch_first" : "message.write_first")}</p>`}
      <button type="submit" class="button button-main" disabled=${!complete}><${Icon} name="send" />${t(kind === "retake" ? "message.send_retake" : "message.send_note")}</button>
    </div>
  </form>`;
}

/** What to do again and where. @param {{ place: Place, choose: (place: Place) => void }} props */
export function Where({ place, choose }) {
  const pick = (/** @type {CustomEvent} */ event) => choose({ step: place.step, site: event.detail.site, side: "" });
  return html`<div class="where">
    <div class="choice-chips" role="group" aria-label=${t("message.what")}>
      ${STEPS.map((step) => html`<button type="button" class="chip-button" key=${step} aria-pressed=${place.step === step} onClick=${() => choose({ step, site: "", side: "" })}>${word("step", step)}</button>`)}
    </div>
    ${(MAPS[place.step] ?? []).map((mode) => html`<body-map class="where-body" mode=${mode} pickable active=${place.site || null} label=${t("message.touch")} onpick=${pick} key=${mode}></body-map>`)}
    ${place.step === "ecg" ? html`<${Electrodes} place=${place} choose=${choose} />` : ""}
    ${place.step === "otoscopy" ? html`<${Ears} place=${place} choose=${choose} />` : ""}
    ${place.step === "photo" ? html`<${Skin} place=${place} pick=${pick} choose=${choose} />` : ""}
    ${place.step ? html`<p class="where-said" role="status"><${Icon} name="rotate-ccw" />${[word("step", place.step), place.step === "photo" && place.site ? word("site", place.site) : place.site, place.side ? t(`ear.${place.side}`) : ""].filter(Boolean).join(" · ")}</p>` : ""}
  </div>`;
}

/** Where the skin is photographed: on the drawings, or by its name. @param {{ place: Place, pick: (event: CustomEvent) => void, choose: (place: Place) => void }} props */
function Skin({ place, pick, choose }) {
  const sites = [...new Set(Object.values(SPOTS).flat().map(([site]) => site))];
  return html`<div class="skin-maps">${Object.keys(SPOTS).map((view) => html`<skin-map key=${view} view=${view} pickable active=${place.site || null} label=${t("message.touch")} onpick=${pick}></skin-map>`)}</div>
    <label class="field">${t("photos.where")}<select value=${place.site} onChange=${(/** @type {any} */ e) => choose({ ...place, site: e.target.value })}><option value="">–</option>${sites.map((site) => html`<option key=${site} value=${site}>${word("site", site)}</option>`)}</select></label>`;
}

/** @param {{ place: Place, choose: (place: Place) => void }} props */
function Electrodes({ place, choose }) {
  const flip = (/** @type {string} */ site) => choose({ ...place, site: place.site === site ? "" : site });
  return html`<div class="electrodes" role="group" aria-label=${t("message.electrodes")} dir="ltr">${ELECTRODES.map((site) => html`<button type="button" class="chip-button" key=${site} aria-pressed=${place.site === site} onClick=${() => flip(site)}>${site}</button>`)}</div>`;
}

/** Right ear on the left, as one faces the patient. @param {{ place: Place, choose: (place: Place) => void }} props */
function Ears({ place, choose }) {
  return html`<div class="where-ears" dir="ltr">${["right", "left"].map((side) => html`<button type="button" class="ear-button" key=${side} aria-pressed=${place.side === side} onClick=${() => choose({ ...place, side })}><b>${side === "left" ? "L" : "R"}</b><${Icon} name="med/ear" size="30px" /><span>${t(`ear.${side}`)}</span></button>`)}</div>`;
}
