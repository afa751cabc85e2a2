/** Otoscope: the ear first, unmistakably; then light and focus; then the best of several pictures. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { useCapture } from "/kiosk/coaches/capture.js";
import { goVisit } from "/kiosk/actions.js";
import { Coach, QualityChip, QualityHint, toTiles } from "/kiosk/coaches/coach.js";
import { EarPicture, Ears } from "/kiosk/coaches/ears.js";
import { Result } from "/kiosk/coaches/result.js";
import { useCanvasOf } from "/kiosk/camera.js";
import { recordingsOf } from "/kiosk/exams.js";

/** @typedef {import("/shared/types.js").Visit} Visit */
/** @typedef {import("/shared/types.js").Capture} Capture */
/** @typedef {import("/shared/types.js").Frame} Frame */

const SECONDS = 5;

/** @param {{ visit: Visit, which: string }} props `which`: the side, part of the address so that a reload keeps the ear */
export function Otoscope({ visit, which }) {
  const held = visit.capture?.step === "otoscopy" ? visit.capture.side : "";
  const side = held || which;
  const choose = (/** @type {string} */ ear) => goVisit(`otoscope/${ear}`);
  const done = recordingsOf(visit, "otoscopy").map((recording) => recording.side);
  if (!side) return html`<${Ears} done=${done} choose=${choose} leave=${toTiles} />`;
  return html`<${OneEar} visit=${visit} side=${side} leave=${() => goVisit("otoscope")}
    kept=${() => (done.some((one) => one !== side) ? toTiles() : choose(side === "left" ? "right" : "left"))} />`;
}

/** @param {{ visit: Visit, side: string, leave: () => void, kept: () => void }} props */
function OneEar({ visit, side, leave, kept }) {
  const taking = useCapture(visit, { step: "otoscopy", instrument: "otoscope", side, seconds: SECONDS });
  const [best, chooseBest] = useState(/** @type {number | null} */ (null));
  const common = { exam: "otoscopy", icon: "med/ear", taking, step: html`<b class="ear-name">${t(`side.${side}`)}</b>` };
  const proposed = Math.max(0, taking.capture?.recording?.pictures.findIndex((picture) => picture.best) ?? 0);
  const shown = best ?? proposed;
  const result = html`<${Result} ...${common} kept=${kept} best=${shown} class="coach-otoscope">
    <${Stills} capture=${taking.capture} shown=${shown} proposed=${proposed} choose=${chooseBest} />
  <//>`;
  return html`<${Coach} ...${common} skip=${{ step: "otoscopy", side }} leave=${leave} result=${result} class="coach-otoscope"
    recordLabel=${t("coach.record", { n: SECONDS })} chips=${html`<${QualityChip} quality=${taking.live?.quality} />`}
    picture=${html`<${EarPicture} side=${side} />`}
    hint=${html`<${QualityHint} quality=${taking.live?.quality} good=${t("otoscope.good")} />`}>
    <${LivePicture} device=${taking.device?.id ?? ""} side=${side} />
  <//>`;
}

/** @param {{ device: string, side: string }} props */
function LivePicture({ device, side }) {
  const canvas = useCanvasOf(device);
  return html`<div class="monitor scope" dir="ltr"><canvas ref=${canvas} role="img" aria-label=${t("signal.picture")}></canvas>
    <span class=${`scope-side scope-${side}`}>${t(`side.short.${side}`)}</span></div>`;
}

/** @param {{ capture: Capture | null, shown: number, proposed: number, choose: (n: number) => void }} props */
function Stills({ capture, shown, proposed, choose }) {
  const pictures = capture?.recording?.pictures ?? [];
  const url = (/** @type {number} */ n) => `/api/captures/${capture?.id}/picture/${n}`;
  return html`<div class="stills">
    <div class="still-row" role="radiogroup" aria-label=${t("otoscope.choose")}>
      ${pictures.map((_, n) => html`<button class="still" role="radio" aria-checked=${String(n === shown)} aria-label=${t("otoscope.picture", { n: n + 1 })} onClick=${() => choose(n)}>
        <img src=${url(n)} alt="" />${n === proposed && html`<span class="chip chip-ok"><${Icon} name="check" />${t("otoscope.best")}</span>`}
      </button>`)}
    </div>
    <div class="monitor scope"><img src=${url(shown)} alt=${t("otoscope.chosen")} /><span class=${`scope-side scope-${capture?.side}`}>${t(`side.short.${capture?.side}`)}</span></div>
  </div>`;
}
