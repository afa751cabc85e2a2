/** Which ear. Drawn as one faces the patient: the patient's right ear is on the left of the screen, in every language. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { Chip, Page } from "/kiosk/parts.js";

/** @param {{ done: string[], choose: (side: string) => void, leave: () => void }} props */
export function Ears({ done, choose, leave }) {
  return html`<${Page} title=${t("ears.title")} step=${t("ears.help")} icon="med/ear" class="coach ears-page" back=${leave}
    note=${!done.length && html`<${NewTip} />`}>
    <div class="ears" dir="ltr">
      <${EarButton} side="right" done=${done.includes("right")} choose=${choose} />
      <div class="ears-head"><${Head} /></div>
      <${EarButton} side="left" done=${done.includes("left")} choose=${choose} />
    </div>
  <//>`;
}

/** Before the first ear of a patient. */
export function NewTip() {
  return html`<${Chip} kind="attention" icon="refresh-cw">${t("otoscope.tip")}<//>`;
}

/** @param {{ side: string, done: boolean, choose: (side: string) => void }} props */
function EarButton({ side, done, choose }) {
  return html`<button class=${`ear ear-${side}`} onClick=${() => choose(side)}>
    <span class="ear-letter">${t(`side.short.${side}`)}</span><b>${t(`side.${side}`)}</b>
    ${done && html`<span class="chip chip-ok"><${Icon} name="check" />${t("tile.good")}</span>`}
  </button>`;
}

/** The head with one ear lit. @param {{ side: string }} props */
export function EarPicture({ side }) {
  return html`<div class="ear-picture" dir="ltr"><${Head} side=${side} /><b class=${`ear-big ear-big-${side}`}>${t(`side.short.${side}`)}</b></div>`;
}

/** @param {{ side?: string }} props */
function Head({ side = "" }) {
  return html`<svg viewBox="0 0 240 260" aria-hidden="true">
    <path class="body-skin" d="M88 196 L88 236 C70 244 40 248 24 260 L216 260 C200 248 170 244 152 236 L152 196 Z" />
    <path class=${`head-ear ${side === "right" ? "head-ear-on" : ""}`} d="M58 112 C40 92 26 108 32 134 C36 156 50 168 60 156 Z" />
    <path class=${`head-ear ${side === "left" ? "head-ear-on" : ""}`} d="M182 112 C200 92 214 108 208 134 C204 156 190 168 180 156 Z" />
    <path class="body-head" d="M120 18 C164 18 190 52 186 112 C183 166 156 214 120 214 C84 214 57 166 54 112 C50 52 76 18 120 18 Z" />
    <path class="body-hair" d="M52 108 C46 44 78 10 120 10 C162 10 194 44 188 108 C182 74 168 58 120 58 C72 58 58 74 52 108 Z" />
    <g class="head-lines"><path d="M88 112 C94 108 102 108 108 112" /><path d="M132 112 C138 108 146 108 152 112" /><path d="M120 118 L116 146 C117 150 123 150 126 148" /><path d="M104 174 C114 180 126 180 136 174" /></g>
  </svg>`;
}
