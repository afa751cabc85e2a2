/** Pictures of a camera: the live one, and after a recording the proposed ones to choose from. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { useCanvasOf } from "/kiosk/camera.js";

/** @typedef {import("/shared/types.js").Capture} Capture */

/** The ear's letter on the picture itself; nothing where there is no side. @param {{ side?: string }} props */
function Side({ side = "" }) {
  return side ? html`<span class=${`scope-side scope-${side}`}>${t(`side.short.${side}`)}</span>` : null;
}

/** @param {{ device: string, label: string, side?: string }} props */
export function LivePicture({ device, label, side }) {
  const canvas = useCanvasOf(device);
  return html`<div class="monitor scope" dir="ltr"><canvas ref=${canvas} role="img" aria-label=${label}></canvas><${Side} side=${side} /></div>`;
}

/** Which of the pictures is proposed. @param {Capture | null} capture */
export function proposedOf(capture) {
  return Math.max(0, capture?.recording?.pictures.findIndex((picture) => picture.best) ?? 0);
}

/** @param {{ capture: Capture | null, shown: number, choose: (n: number) => void }} props */
export function Stills({ capture, shown, choose }) {
  const pictures = capture?.recording?.pictures ?? [];
  const proposed = proposedOf(capture);
  const url = (/** @type {number} */ n) => `/api/captures/${capture?.id}/picture/${n}`;
  return html`<div class="stills">
    <div class="still-row" role="radiogroup" aria-label=${t("otoscope.choose")}>
      ${pictures.map((_, n) => html`<button class="still" role="radio" aria-checked=${String(n === shown)} aria-label=${t("otoscope.picture", { n: n + 1 })} onClick=${() => choose(n)}>
        <img src=${url(n)} alt="" />${n === proposed && html`<span class="chip chip-ok"><${Icon} name="check" />${t("otoscope.best")}</span>`}
      </button>`)}
    </div>
    <div class="monitor scope"><img src=${url(shown)} alt=${t("otoscope.chosen")} /><${Side} side=${capture?.side} /></div>
  </div>`;
}
