/** Draft measurements: numbers with their method, never a finding. */

import { t } from "/shared/i18n.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { Value, word } from "/desk/say.js";

/** @typedef {import("/desk/types.js").DeskRecording} DeskRecording */
/** @typedef {import("/shared/types.js").Measurement} Measurement */

/** What a reader looks for first; all others are one touch away. */
const FIRST = ["heart_rate", "pulse_rate", "pr", "qrs", "qt", "qtc", "qtc_fridericia", "qrs_axis"];
const DIGITS = /** @type {Record<string, number>} */ ({ mV: 2, "1": 2 });

/** A corrected QT always names its formula, an ST level its lead. @param {string} kind */
function nameOf(kind) {
  const [first = "", second = ""] = kind.split("_");
  if (first === "st" && second) return `ST ${second}`;
  if (first === "qtc" && second) return `QTc ${second.charAt(0).toUpperCase()}${second.slice(1)}`;
  return word("measure", kind);
}

/** @param {{ recording: DeskRecording }} props */
export function Drafts({ recording }) {
  const first = recording.measurements.filter((one) => FIRST.includes(one.kind));
  const others = recording.measurements.filter((one) => !FIRST.includes(one.kind));
  if (!recording.measurements.length) return null;
  return html`<div class="drafts"><span class="chip chip-info">${t("draft")}</span>
    ${first.map((one) => html`<${Draft} one=${one} key=${one.kind} />`)}
    <span class="soft small">${t("draft_more")}</span>
    ${others.length ? html`<details class="origin drafts-all"><summary>${t("drafts_all", { n: others.length })}</summary>
      <div class="drafts-grid">${others.map((one) => html`<${Draft} one=${one} key=${one.kind} />`)}</div></details>` : ""}</div>`;
}

/** @param {{ one: Measurement }} props */
function Draft({ one }) {
  return html`<span class="draft" title=${one.method}><bdi dir="ltr">${nameOf(one.kind)}</bdi> <${Value} value=${one.value} unit=${one.unit} digits=${DIGITS[one.unit] ?? 0} /></span>`;
}
