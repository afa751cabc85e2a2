/** Words for what the desk shows: one place for patient, age, urgency, units, layers. */

import { age, has, number, t } from "/shared/i18n.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { Icon } from "/shared/icon.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {import("/desk/types.js").InboxCase} InboxCase */
/** @typedef {import("/desk/types.js").DeskRecording} DeskRecording */
/** @typedef {import("/shared/types.js").Quality} Quality */

/** A coded word in the reader's language; a code nobody translated yet shows as it came. @param {string} group @param {string} code */
export function word(group, code) {
  const key = `${group}.${code}`;
  return has(key) ? t(key) : code.replaceAll("_", " ");
}

/** Figures and units keep their order inside a right-to-left line. @param {string} text */
export function ltr(text) {
  return `\u2066${text}\u2069`;
}

/** Six quiet colours; a case keeps its own on every pane, so that two patients are not mixed up. @param {string} id */
export function hue(id) {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.charCodeAt(0)) % 65_521;
  return `hue-${sum % 6}`;
}

/** @param {{sex: string, age?: number | null, birth_year?: number | null}} patient @param {number} received_ms */
export function ageOf(patient, received_ms) {
  if (typeof patient.age === "number") return patient.age;
  return patient.birth_year ? new Date(received_ms).getFullYear() - patient.birth_year : null;
}

/** "F 54": sex and age, for lists that must not name anybody. @param {InboxCase | DeskCase} one */
export function who(one) {
  const years = ageOf(one.patient, one.received_ms);
  return [one.patient.sex ? t(`sex.${one.patient.sex}`) : "", years === null ? "" : t("years", { n: years })].filter(Boolean).join(" · ");
}

const URGENCY = /** @type {Record<string, {icon: string, chip: string}>} */ ({
  emergency: { icon: "med/ambulance", chip: "chip-bad" },
  urgent: { icon: "circle-alert", chip: "chip-attention" },
  routine: { icon: "clock", chip: "" },
});

/** @param {{ urgency: string }} props */
export function UrgencyChip({ urgency }) {
  const { icon, chip } = URGENCY[urgency] ?? { icon: "clock", chip: "" };
  return html`<span class=${`chip ${chip}`}><${Icon} name=${icon} />${word("urgency", urgency)}</span>`;
}

const STATES = /** @type {Record<string, string>} */ ({ arriving: "truck", waiting: "inbox", claimed: "user", answered: "circle-check" });

/** @param {{ one: InboxCase | DeskCase }} props */
export function StateWord({ one }) {
  const text = one.state === "claimed" && one.claimed_by ? t("state.claimed_by", { name: one.claimed_by.name }) : t(`state.${one.state}`);
  return html`<span class="state"><${Icon} name=${STATES[one.state] ?? "circle"} />${text}</span>`;
}

/** Below this a recording is called fair, not good; not usable is always "poor". */
const GOOD_FROM = 0.75;

/** @param {{ score: number, usable: boolean }} quality @returns {"good" | "fair" | "poor"} */
export function gradeOf({ score, usable }) {
  return !usable ? "poor" : score >= GOOD_FROM ? "good" : "fair";
}

/** @param {{ score: number, usable: boolean }} props a verdict three ways: word, shape, colour */
export function QualityBadge({ score, usable }) {
  const grade = gradeOf({ score, usable });
  const look = { poor: ["chip-bad", "circle-alert"], fair: ["chip-attention", "circle-dot"], good: ["chip-ok", "circle-check"] }[grade];
  const spoken = t("quality.score", { score: number(score, 2) });
  return html`<span class=${`chip ${look[0]}`} title=${spoken}><${Icon} name=${look[1]} />${t(`quality.${grade}`)}</span>`;
}

const UNITS = /** @type {Record<string, string>} */ ({ "mm[Hg]": "mmHg", Cel: "°C", deg: "°", "1": "" });

/** UCUM code as a reader prints it. @param {string} unit */
export function unitText(unit) {
  return UNITS[unit] ?? unit;
}

/** A number with its unit, softer, in its own direction. @param {{ value: number | null, unit: string, digits?: number }} props */
export function Value({ value, unit, digits = 1 }) {
  if (value === null) return html`<span class="value">${t("no_value")}</span>`;
  return html`<bdi class="value" dir="ltr">${number(value, digits)}<span class="unit"> ${unitText(unit)}</span></bdi>`;
}

/** @param {number} count @returns {string} such as "42 kB" */
export function bytesText(count) {
  return count >= 1_000_000 ? t("bytes.mb", { n: number(count / 1_000_000) }) : t("bytes.kb", { n: number(Math.ceil(count / 1000), 0) });
}

const LAYERS = ["preview", "diagnostic", "lossless"];
/** Which layers hold something for each step: a waveform has no listening-grade layer of its own. */
const USEFUL = /** @type {Record<string, string[]>} */ ({ ecg: ["1", "3"], oximetry: ["1", "3"] });

/** Layers of a recording that hold something, with their share. @param {DeskRecording} recording @returns {[string, import("/desk/types.js").LayerShare][]} */
export function usefulLayers(recording) {
  const useful = USEFUL[recording.step] ?? ["1", "2", "3"];
  return Object.entries(recording.layers).filter(([layer, part]) => useful.includes(layer) && part.total > 0);
}

/** The best layer that is whole here, or "". @param {DeskRecording} recording */
export function bestLayer(recording) {
  const whole = usefulLayers(recording).filter(([, part]) => part.have >= part.total);
  const best = whole.at(-1);
  return best ? LAYERS[Number(best[0]) - 1] : "";
}

/** How much of all layers is here. @param {Record<string, {have: number, total: number}>} layers @returns {number} 0 to 1 */
export function share(layers) {
  const parts = Object.values(layers);
  const total = parts.reduce((sum, part) => sum + part.total, 0);
  return total ? parts.reduce((sum, part) => sum + part.have, 0) / total : 0;
}

/** @param {{ seconds: number }} props age of a case, red after the time it should have been read */
export function AgeText({ seconds }) {
  return html`<span class="age"><${Icon} name="clock" />${age(seconds)}</span>`;
}

/** What stands between a person and what they came for. @param {{ icon: string, title: string, text?: string, children?: any }} props */
export function Blank({ icon, title, text, children }) {
  return html`<div class="blank"><span class="blank-icon"><${Icon} name=${icon} size="34px" /></span><h2>${title}</h2>${text ? html`<p class="soft">${text}</p>` : ""}${children}</div>`;
}

const FAILURES = /** @type {Record<string, string>} */ ({ unreachable: "wifi-off", invited_only: "lock" });

/** The failure of a reading, with the way out. @param {{ code: string, again: () => void }} props */
export function Failure({ code, again }) {
  const text = has(`error.${code}`) ? t(`error.${code}`) : t("error.other");
  return html`<${Blank} icon=${FAILURES[code] ?? "triangle-alert"} title=${text}>
    ${code === "invited_only" ? "" : html`<button type="button" class="button" onClick=${again}><${Icon} name="rotate-ccw" />${t("try_again")}</button>`}
  </${Blank}>`;
}
