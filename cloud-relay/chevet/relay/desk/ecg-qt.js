/** QT by the reader's own calipers: keep one distance as QT, one as RR, and see QTc with its formula named. */

import { t } from "/shared/i18n.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Pick } from "/desk/fetched.js";
import { correctedQt, FORMULAS, isPossible } from "/desk/qt.js";
import { Value } from "/desk/say.js";

/** @typedef {import("/desk/types.js").DeskRecording} DeskRecording */
/** @typedef {import("/desk/qt.js").Formula} Formula */
/** @typedef {{ms: number, mine: boolean}} Interval */

/** @param {DeskRecording} recording @returns {{qt: Interval | null, rr: Interval | null}} */
function draftsOf(recording) {
  const find = (/** @type {string} */ kind) => recording.measurements.find((one) => one.kind === kind)?.value ?? null;
  const [qt, rate] = [find("qt"), find("heart_rate")];
  return { qt: qt === null ? null : { ms: qt, mine: false }, rr: rate ? { ms: 60_000 / rate, mine: false } : null };
}

/** @param {{ recording: DeskRecording, caliper: {ms: number} | null }} props */
export function QtTool({ recording, caliper }) {
  const [formula, setFormula] = useState(/** @type {Formula} */ ("fridericia"));
  const [mine, setMine] = useState(/** @type {{qt: Interval | null, rr: Interval | null}} */ ({ qt: null, rr: null }));
  const drafts = draftsOf(recording);
  const [qt, rr] = [mine.qt ?? drafts.qt, mine.rr ?? drafts.rr];
  const keep = (/** @type {"qt" | "rr"} */ what) => caliper && setMine({ ...mine, [what]: { ms: Math.abs(caliper.ms), mine: true } });
  const may = (/** @type {"qt" | "rr"} */ what) => caliper !== null && isPossible(what, Math.abs(caliper.ms));
  const names = /** @type {Formula[]} */ (Object.keys(FORMULAS));
  return html`<div class="qt" role="group" aria-label=${t("qt.title")}>
    <${Part} name="QT" interval=${qt} /><button type="button" class="flip" disabled=${!may("qt")} onClick=${() => keep("qt")}>${t("qt.keep_qt")}</button>
    <${Part} name="RR" interval=${rr} /><button type="button" class="flip" disabled=${!may("rr")} onClick=${() => keep("rr")}>${t("qt.keep_rr")}</button>
    <${Pick} label=${t("qt.formula")} value=${formula} choose=${(/** @type {Formula} */ code) => setFormula(code)} options=${names.map((name) => [name, capital(name)])} />
    <span class="qt-result" role="status">${qt && rr
      ? html`<bdi dir="ltr">QTc ${capital(formula)}</bdi> <${Value} value=${correctedQt(formula, qt.ms, rr.ms)} unit="ms" digits=${0} /> <span class=${`chip ${qt.mine && rr.mine ? "" : "chip-info"}`}>${qt.mine && rr.mine ? t("qt.by_you") : t("draft")}</span>`
      : html`<span class="soft">${t("qt.needs")}</span>`}</span>
  </div>`;
}

/** @param {{ name: string, interval: Interval | null }} props */
function Part({ name, interval }) {
  return html`<span class="draft"><bdi dir="ltr">${name}</bdi> ${interval ? html`<${Value} value=${interval.ms} unit="ms" digits=${0} /> <span class="soft small">${interval.mine ? t("qt.by_you") : t("draft")}</span>` : "–"}</span>`;
}

/** @param {string} name */
function capital(name) {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
