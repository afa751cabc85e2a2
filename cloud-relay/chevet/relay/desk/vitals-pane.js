/** Vital signs, each with its unit, time, source and quality; and the pulse wave they came from. */

import { bytes } from "/shared/api.js";
import { clock, reasonText, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { readWave } from "/shared/instruments/ecg-paper-wave.js";
import { html, useEffect, useRef } from "/shared/vendor/htm-preact/standalone.module.js";
import { Drafts } from "/desk/drafts.js";
import { Meanwhile, NotDone, useLayer } from "/desk/fetched.js";
import { drawPleth } from "/desk/pleth.js";
import { Origin, RecordingHead } from "/desk/recording-head.js";
import { ageOf, QualityBadge, unitText, Value, word } from "/desk/say.js";
import { against, rangeFor } from "/desk/vitals-ranges.js";
import { Trends } from "/desk/vitals-trends.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {import("/desk/types.js").DeskRecording} DeskRecording */
/** @typedef {import("/shared/types.js").Vital} Vital */

/** @param {{ one: DeskCase }} props */
export function VitalsPane({ one }) {
  const finger = one.recordings.find((recording) => recording.step === "oximetry");
  if (!one.vitals.length && !finger) return html`<${NotDone} icon="med/thermometer_digital" what=${t("pane.vitals")} />`;
  const age = ageOf(one.patient, one.received_ms);
  return html`
    <ul class="vitals">${one.vitals.filter((vital) => vital !== pairOf(one, "diastolic")).map((vital) => html`<${Card} key=${`${vital.kind}${vital.at_ms}`} vital=${vital} low=${vital.kind === "systolic" ? pairOf(one, "diastolic") : undefined} age=${age} device=${deviceOf(one, vital)} />`)}</ul>
    <p class="soft small">${t(age === null ? "range.no_age" : "range.what", { n: age ?? 0 })}</p>
    <${Trends} one=${one} />
    ${finger ? html`<h2 class="pane-title">${t("vitals.pleth")}</h2><${Finger} one=${one} recording=${finger} />` : ""}`;
}

/** Systolic and diastolic are read together, as one pressure. @param {DeskCase} one @param {string} kind */
function pairOf(one, kind) {
  return one.vitals.some((vital) => vital.kind === "systolic") ? one.vitals.find((vital) => vital.kind === kind) : undefined;
}

/** A number typed by a person has no measured quality. @param {{ vital: Vital, low?: Vital, age: number | null, device: string }} props */
function Card({ vital, low, age, device }) {
  const { quality, source } = vital;
  return html`<li class="vital">
    <h3>${low ? t("vital.pressure") : word("vital", vital.kind)}</h3>
    <p class="vital-value">${low && vital.value !== null && low.value !== null ? html`<bdi class="value" dir="ltr">${vital.value}/${low.value}<span class="unit"> mmHg</span></bdi>` : html`<${Value} value=${vital.value} unit=${vital.unit} />`}</p>
    <${Usual} vital=${vital} age=${age} named=${low !== undefined} />${low ? html`<${Usual} vital=${low} age=${age} named />` : ""}
    <p class="vital-foot">${source === "manual" ? "" : html`<${QualityBadge} score=${quality.score} usable=${quality.usable} />`}<span class="soft"><bdi>${device}</bdi> · ${clock(vital.at_ms)}</span></p>
    ${quality.reasons.length ? html`<p class="reasons">${quality.reasons.map(reasonText).join(" · ")}</p>` : ""}
  </li>`;
}

/** The usual values at this age, whose they are, and on which side of them the number lies. @param {{ vital: Vital, age: number | null, named?: boolean }} props */
function Usual({ vital, age, named }) {
  const range = rangeFor(vital.kind, age);
  if (!range || vital.value === null) return null;
  const side = against(vital.value, range);
  return html`<p class="usual">${named ? html`<b>${word("vital", vital.kind)}</b>` : ""}${side === "within" ? "" : html`<span class="chip chip-attention"><${Icon} name=${side === "above" ? "arrow-up" : "arrow-down"} />${t(`range.${side}`)}</span>`}
    <span class="soft">${t("range.usual")} <bdi dir="ltr">${range.low}–${range.high} ${unitText(vital.unit)}</bdi> · <bdi dir="ltr">${range.source}</bdi>${range.note ? ` · ${t(`range.${range.note}`)}` : ""}</span></p>`;
}

/** What measured it: the instrument by the name it gives itself, else its driver; or a person's hand. @param {DeskCase} one @param {Vital} vital */
function deviceOf(one, { source, recording }) {
  if (source === "manual") return t("vitals.manual");
  const device = one.recordings.find(({ id }) => id === recording)?.device;
  return [device?.model, device?.serial].filter(Boolean).join(" · ") || source;
}

/** @param {{ one: DeskCase, recording: DeskRecording }} props */
function Finger({ one, recording }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const fetched = useLayer(recording, async (layer) => readWave(await bytes(`/api/cases/${one.id}/recordings/${recording.id}/waveform?layer=${layer}`)));
  useEffect(() => {
    const [target, wave] = [canvas.current, fetched.value];
    if (!target || !wave) return undefined;
    const watcher = new ResizeObserver(() => drawPleth(target, wave));
    watcher.observe(target);
    return () => watcher.disconnect();
  }, [fetched.value]);
  return html`<${RecordingHead} recording=${recording} />
    ${fetched.state === "there" ? html`<canvas class="pleth" ref=${canvas} role="img" aria-label=${t("vitals.pleth")}></canvas>` : html`<${Meanwhile} fetched=${fetched} recording=${recording} />`}
    <${Drafts} recording=${recording} /><${Origin} recording=${recording} />`;
}
