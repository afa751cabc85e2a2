/** A vital sign: from its instrument where one is there, else typed, with limits that catch a slip of the finger. */

import { ApiError } from "/shared/api.js";
import { number, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { goVisit, typeVital } from "/kiosk/actions.js";
import { endSession } from "/kiosk/attempt.js";
import { vitalOf } from "/kiosk/exams.js";
import { Keypad, typed } from "/kiosk/keypad.js";
import { Button, Main, Page, unitText, Value } from "/kiosk/parts.js";
import { Breaths } from "/kiosk/screens/breaths.js";
import { MeterPage } from "/kiosk/screens/meter.js";
import { deviceFor, THERE, useKiosk } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Visit} Visit */
/**
 * Limits are of what a device can show on a living person, not of what is healthy.
 * @typedef {{ kind: string, unit: string, low: number, high: number, decimals: boolean }} Entry
 */

/** @type {Record<string, { icon: string, meter: string, entries: Entry[] }>} */
const VITALS = {
  blood_pressure: {
    icon: "med/blood_pressure_monitor", meter: "blood_pressure",
    entries: [
      { kind: "systolic", unit: "mm[Hg]", low: 50, high: 280, decimals: false },
      { kind: "diastolic", unit: "mm[Hg]", low: 20, high: 180, decimals: false },
    ],
  },
  oximetry: {
    icon: "med/pulse_oximeter", meter: "",
    entries: [
      { kind: "spo2", unit: "%", low: 30, high: 100, decimals: false },
      { kind: "pulse_rate", unit: "/min", low: 20, high: 300, decimals: false },
    ],
  },
  respiration: { icon: "wind", meter: "respiration", entries: [{ kind: "respiration_rate", unit: "/min", low: 4, high: 120, decimals: false }] },
  temperature: { icon: "med/thermometer_digital", meter: "thermometer", entries: [{ kind: "temperature", unit: "Cel", low: 30, high: 43, decimals: true }] },
  weight: { icon: "med/weight", meter: "scale", entries: [{ kind: "weight", unit: "kg", low: 0.5, high: 250, decimals: true }] },
  glucose: { icon: "med/blood_drop", meter: "glucose", entries: [{ kind: "glucose", unit: "mg/dL", low: 20, high: 600, decimals: false }] },
};
const LONGEST = 5; // "120.5"
const MG_PER_DL_IN_G_PER_L = 100;

/** @param {Entry} entry @param {string} text @param {Record<string, string>} texts what was typed for the other numbers @returns {string} what is wrong, or "" */
function problem(entry, text, texts) {
  if (!text) return "";
  const value = Number(text);
  if (value < entry.low || value > entry.high) return t("vital.limits", { low: entry.low, high: entry.high });
  if (entry.kind === "diastolic" && texts.systolic && value >= Number(texts.systolic)) return t("vital.wrong_way");
  return "";
}

/** @param {{ visit: Visit, which: string }} props */
export function VitalPage({ visit, which }) {
  useKiosk();
  const [byHand, setByHand] = useState(false);
  const vital = VITALS[which];
  const device = vital ? deviceFor(vital.meter) : null;
  if (!vital || !device || byHand || !THERE.includes(device.state)) return html`<${TypedPage} visit=${visit} which=${which} />`;
  const kinds = vital.entries.map(({ kind }) => kind);
  return html`<${MeterPage} device=${device} which=${which} icon=${vital.icon} kinds=${kinds} typeIt=${() => setByHand(true)} />`;
}

/** @param {{ visit: Visit, which: string }} props */
function TypedPage({ visit, which }) {
  const vital = VITALS[which] ?? VITALS.temperature;
  const [texts, setTexts] = useState(/** @type {Record<string, string>} */ ({}));
  const [at, goTo] = useState(0);
  const [refused, refuse] = useState("");
  const [counting, count] = useState(false);
  if (!vital) return null;
  const { icon, entries } = vital;
  const counted = (/** @type {number} */ perMinute) => {
    setTexts({ respiration_rate: String(perMinute) });
    count(false);
  };
  if (counting) return html`<${Breaths} patient=${visit.patient} icon=${icon} take=${counted} back=${() => count(false)} />`;
  const entry = entries[at] ?? entries[0];
  if (!entry) return null;
  const text = texts[entry.kind] ?? "";
  const wrong = problem(entry, text, texts);
  const press = (/** @type {string} */ key) => {
    refuse("");
    setTexts((last) => ({ ...last, [entry.kind]: typed(last[entry.kind] ?? "", key, LONGEST) }));
  };
  const enter = async () => {
    if (!text || wrong) return;
    if (at + 1 < entries.length) goTo(at + 1);
    else refuse(await save(entries, texts));
  };
  const why = !text ? t("vital.why") : wrong;
  return html`<${Page} title=${t(`exam.${which}`)} icon=${icon} step=${t("vital.help")} class="vital" back=${() => (at ? goTo(at - 1) : goVisit("tiles"))}
    extra=${which === "respiration" && html`<${Button} go=${() => count(true)} icon="timer">${t("breath.count")}<//>`}
    main=${html`<${Main} go=${enter} icon=${at + 1 < entries.length ? "arrow-right" : "check"} why=${why}>${at + 1 < entries.length ? t("do.next") : t("vital.save")}<//>`}>
    <div class="vital-task">
      <div class="vital-entries">
        ${entries.map((one, i) => html`<${Field} entry=${one} text=${texts[one.kind] ?? ""} here=${one === entry} go=${() => goTo(i)} last=${vitalOf(visit, one.kind)} wrong=${one === entry && (wrong || refused)} />`)}
      </div>
      <${Keypad} press=${press} enter=${enter} point=${entry.decimals ? decimalSign() : ""} />
    </div>
  <//>`;
}

function decimalSign() {
  return number(0.5).replace(/\d/g, "");
}

/** @param {{ entry: Entry, text: string, here: boolean, go: () => void, last: import("/shared/types.js").Vital | null, wrong: string | false }} props */
function Field({ entry, text, here, go, last, wrong }) {
  const shown = text.replace(".", decimalSign());
  return html`<button class=${`vital-field ${here ? "vital-here" : ""} ${wrong ? "vital-wrong" : ""}`} onClick=${go}>
    <span class="soft">${t(`vital.${entry.kind}`)}</span>
    <bdi dir="ltr" class="vital-number">${shown || html`<span class="vital-empty">${last ? number(last.value ?? 0) : "\u2013"}</span>`}${here && html`<i class="caret"></i>`} <span class="unit">${unitText(entry.unit)}</span></bdi>
    ${wrong ? html`<span class="field-error" role="alert"><${Icon} name="circle-alert" />${wrong}</span>`
      : html`<span class="soft small">${entry.kind === "glucose" && text ? html`= <${Value} value=${Number(text) / MG_PER_DL_IN_G_PER_L} unit="g/L" digits=${2} />` : t("vital.limits", { low: entry.low, high: entry.high })}</span>`}
  </button>`;
}

/** @param {Entry[]} entries @param {Record<string, string>} texts @returns {Promise<string>} the box's objection, or "" */
async function save(entries, texts) {
  try {
    for (const { kind, unit } of entries) await typeVital(kind, Number(texts[kind]), unit);
    goVisit("tiles");
    return "";
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) endSession();
    return error.sentence;
  }
}
