/** One recording in a list: what, where, how long, how good. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { reasonSays } from "/kiosk/electrodes.js";
import { Chip, Value } from "/kiosk/parts.js";

/** @typedef {import("/shared/types.js").Recording} Recording */

const ICONS = /** @type {Record<string, string>} */ ({
  oximetry: "med/pulse_oximeter", ecg: "med/heart_cardiogram", heart_sound: "med/stethoscope", lung_sound: "med/lungs", otoscopy: "med/ear", photo: "camera",
});

/** @param {Pick<Recording, "step" | "site" | "side">} recording */
export function whatText({ step, site, side }) {
  const name = t(`step.${step}`);
  if (side) return `${name} · ${t(`side.${side}`)}`;
  return site ? `${name} · ${t(`site.${site}`)}` : name;
}

/** @param {{ recording: Recording }} props */
export function RecordingRow({ recording }) {
  const { quality } = recording;
  const good = quality.usable && !recording.accepted_poor;
  return html`<div class="recording-row">
    <${Icon} name=${ICONS[recording.step] ?? "med/stethoscope"} size="36px" />
    <span class="recording-what"><b>${whatText(recording)}</b>
      <span class="soft small"><${Value} value=${recording.duration_s} unit="s" digits=${0} />${!good && quality.reasons[0] && ` · ${reasonSays(quality.reasons[0])}`}</span></span>
    <${Chip} kind=${good ? "ok" : "attention"} icon=${good ? "check" : "triangle-alert"}>${good ? t("quality.good") : t("quality.poor")}<//>
  </div>`;
}
