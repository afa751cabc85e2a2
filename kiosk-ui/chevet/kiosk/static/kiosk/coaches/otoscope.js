/** Otoscope: the ear first, unmistakably; then light and focus; then the best of several pictures. */

import { t } from "/shared/i18n.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { useCapture } from "/kiosk/coaches/capture.js";
import { goVisit } from "/kiosk/actions.js";
import { Coach, QualityChip, QualityHint, toTiles } from "/kiosk/coaches/coach.js";
import { EarPicture, Ears, NewTip } from "/kiosk/coaches/ears.js";
import { Result } from "/kiosk/coaches/result.js";
import { LivePicture, proposedOf, Stills } from "/kiosk/coaches/stills.js";
import { recordingsOf } from "/kiosk/exams.js";

/** @typedef {import("/shared/types.js").Visit} Visit */

const SECONDS = 5;

/** @param {{ visit: Visit, which: string }} props `which`: the side, part of the address so that a reload keeps the ear */
export function Otoscope({ visit, which }) {
  const held = visit.capture?.step === "otoscopy" ? visit.capture.side : "";
  const side = held || which;
  const choose = (/** @type {string} */ ear) => goVisit(`otoscope/${ear}`);
  const done = recordingsOf(visit, "otoscopy").map((recording) => recording.side);
  if (!side) return html`<${Ears} done=${done} choose=${choose} leave=${toTiles} />`;
  return html`<${OneEar} visit=${visit} side=${side} first=${!done.length} leave=${() => goVisit("otoscope")}
    kept=${() => (done.some((one) => one !== side) ? toTiles() : choose(side === "left" ? "right" : "left"))} />`;
}

/** @param {{ visit: Visit, side: string, first: boolean, leave: () => void, kept: () => void }} props `first`: no ear of this patient was seen yet; one asked for again opens here */
function OneEar({ visit, side, first, leave, kept }) {
  const taking = useCapture(visit, { step: "otoscopy", instrument: "otoscope", side, seconds: SECONDS });
  const [best, chooseBest] = useState(/** @type {number | null} */ (null));
  const common = { exam: "otoscopy", icon: "med/ear", taking, step: html`<b class="ear-name">${t(`side.${side}`)}</b>` };
  const shown = best ?? proposedOf(taking.capture);
  const result = html`<${Result} ...${common} kept=${kept} best=${shown} class="coach-otoscope">
    <${Stills} capture=${taking.capture} shown=${shown} choose=${chooseBest} />
  <//>`;
  return html`<${Coach} ...${common} skip=${{ step: "otoscopy", side }} leave=${leave} result=${result} class="coach-otoscope"
    recordLabel=${t("coach.record", { n: SECONDS })} chips=${html`${first && html`<${NewTip} />`}<${QualityChip} quality=${taking.live?.quality} />`}
    picture=${html`<${EarPicture} side=${side} />`}
    hint=${html`<${QualityHint} quality=${taking.live?.quality} good=${t("otoscope.good")} />`}>
    <${LivePicture} device=${taking.device?.id ?? ""} label=${t("signal.picture")} side=${side} />
  <//>`;
}
