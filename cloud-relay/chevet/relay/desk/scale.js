/** Measuring the screen with a bank card, so that a millimetre on the glass is a millimetre. */

import { number, t } from "/shared/i18n.js";
import { CARD_MM, CSS_PX_PER_MM, forgetScale, keepScale, measuredScale } from "/shared/instruments/ecg-paper-scale.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Dialog } from "/desk/dialog.js";
import { set } from "/desk/store.js";

const RANGE = { least: 2.9, most: 8, step: 0.01 };

export function ScreenScale() {
  const [scale, setScale] = useState(measuredScale() ?? CSS_PX_PER_MM);
  const keep = () => {
    keepScale(scale);
    set({ dialog: "" });
  };
  const forget = () => {
    forgetScale();
    set({ dialog: "" });
  };
  const size = { width: `${CARD_MM.width * scale}px`, height: `${CARD_MM.height * scale}px` };
  const slide = (/** @type {any} */ event) => setScale(Number(event.target.value));
  return html`<${Dialog} title=${t("scale.title")} look="dialog-wide">
    <p>${t("scale.how")}</p>
    <div class="bank-card-place" dir="ltr"><div class="bank-card" style=${size}><span>${t("scale.card")}</span></div></div>
    <div class="field"><label for="scale">${t("scale.slide")}</label>
      <input id="scale" type="range" dir="ltr" min=${RANGE.least} max=${RANGE.most} step=${RANGE.step} value=${scale} onInput=${slide} /></div>
    <p class="soft small">${t("scale.holds", { px: number(scale, 2) })}</p>
    <div class="dialog-foot">
      ${measuredScale() ? html`<button type="button" class="button button-quiet" onClick=${forget}>${t("scale.forget")}</button>` : ""}
      <button type="button" class="button button-main" onClick=${keep}>${t("scale.keep")}</button>
    </div>
  <//>`;
}
