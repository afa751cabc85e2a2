/** Before anything else: signs that need a telephone and an ambulance, not a recording. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Button, Choice, Main, Page } from "/kiosk/parts.js";
import { pathOf } from "/kiosk/paths.js";
import { go } from "/kiosk/route.js";
import { useKiosk } from "/kiosk/store.js";
import { CalledButton } from "/kiosk/training-strip.js";

export const SIGNS = /** @type {const} */ ({
  unconscious: "med/cpr", breathing: "med/lungs", chest_pain: "med/heart_organ", stroke: "med/neurology",
  bleeding: "med/blood_drop", convulsion: "zap", pregnancy: "med/pregnant", newborn: "med/baby_0203m",
});
const KEPT = "chevet.red_flags";

/** Signs ticked before the patient is known; codes only. @returns {string[]} */
export function keptSigns() {
  return JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");
}

export function Danger() {
  const [signs, tick] = useState(keptSigns);
  const [called, call] = useState(false);
  const toggle = (/** @type {string} */ sign) => tick(signs.includes(sign) ? signs.filter((one) => one !== sign) : [...signs, sign]);
  const on = () => {
    sessionStorage.setItem(KEPT, JSON.stringify(signs));
    if (signs.length && !called) call(true);
    else go("patient");
  };
  if (called) return html`<${CallNow} signs=${signs} on=${on} back=${() => call(false)} />`;
  return html`<${Page} title=${t("danger.title")} step=${t("danger.help")} back=${() => go("start")} class="danger"
    main=${html`<${Main} go=${on} icon=${signs.length ? "phone" : "check"}>${signs.length ? t("danger.seen", { n: signs.length }) : t("danger.none")}<//>`}>
    <div class="choices choices-4">
      ${Object.entries(SIGNS).map(([sign, icon]) => html`<${Choice} icon=${icon} title=${t(`sign.${sign}`)} chosen=${signs.includes(sign)} go=${() => toggle(sign)} class="choice-bad" />`)}
    </div>
  <//>`;
}

/** The fast way is one touch: what it skips can be done when the call is made. @param {{ signs: string[], on: () => void, back: () => void }} props */
function CallNow({ signs, on, back }) {
  const path = pathOf(signs);
  const phone = useKiosk().status?.site.phone ?? "";
  return html`<${Page} title=${t("call.title")} class="call" back=${back} note=${html`<${CalledButton} signs=${signs} />`} extra=${!path && html`<${Button} go=${on} icon="arrow-right">${t("call.continue")}<//>`}
    main=${path && html`<${Main} go=${on} icon="timer">${t(`path.go.${path}`)}<//>`}>
    <div class="call-now">
      <div class="call-phone"><${Icon} name="phone" size="56px" />
        <span>${t("call.number")}</span><bdi dir="ltr" class="call-number">${phone || "141"}</bdi>
        ${!phone && html`<span class="small">${t("call.number.default")}</span>`}</div>
      <ol class="call-steps">
        <li><${Icon} name="phone" size="36px" /><span>${t("call.step.call")}</span></li>
        <li><${Icon} name="med/ambulance" size="36px" /><span>${t("call.step.transfer")}</span></li>
        <li><${Icon} name="eye" size="36px" /><span>${t("call.step.stay")}</span></li>
      </ol>
      <p class="call-signs">${signs.map((sign) => html`<span class="chip chip-bad">${t(`sign.${sign}`)}</span>`)}</p>
    </div>
  <//>`;
}
