/** Why an oximeter finds no pulse: a cold hand, or varnish on the nail. Two fingers, drawn, each with what to do. */

import { t } from "/shared/i18n.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";

/** Reasons that a warm hand or another finger can mend. */
const MENDED = ["low_perfusion", "no_pulse", "searching", "flat"];

/** @param {import("/shared/types.js").Quality | null | undefined} quality */
export function wantsFinger(quality) {
  return Boolean(quality) && !quality?.usable && MENDED.includes((quality?.reasons[0] ?? "").split(":")[0] ?? "");
}

export function Fingers() {
  return html`<div class="fingers">
    <figure><${Finger} kind="cold" /><figcaption><b>${t("finger.cold")}</b><span>${t("finger.cold.do")}</span></figcaption></figure>
    <figure><${Finger} kind="varnish" /><figcaption><b>${t("finger.varnish")}</b><span>${t("finger.varnish.do")}</span></figcaption></figure>
  </div>`;
}

/** @param {{ kind: "cold" | "varnish" }} props */
function Finger({ kind }) {
  return html`<svg viewBox="0 0 120 120" aria-hidden="true" class=${`finger finger-${kind}`}>
    <path class="finger-skin" d="M38 118 L38 44 C38 18 82 18 82 44 L82 118" />
    <path class="finger-nail" d="M46 48 C46 26 74 26 74 48 L74 62 C66 68 54 68 46 62 Z" />
    <path class="finger-line" d="M42 92 C54 97 66 97 78 92" />
    ${kind === "cold" && html`<g class="finger-snow"><path d="M100 22 L100 58 M84 31 L116 49 M84 49 L116 31" /></g>`}
    ${kind === "varnish" && html`<path class="finger-cross" d="M36 28 L84 72 M84 28 L36 72" />`}
  </svg>`;
}
