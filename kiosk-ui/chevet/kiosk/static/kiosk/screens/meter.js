/** A vital sign that an instrument measures by itself: wait for its numbers, look at them, take them. */

import { age, reasonText, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect } from "/shared/vendor/htm-preact/standalone.module.js";
import { goVisit } from "/kiosk/actions.js";
import { attempt } from "/kiosk/attempt.js";
import { readMeasured, takeMeasured } from "/kiosk/measured.js";
import { Button, Chip, Hint, Main, Page, Value } from "/kiosk/parts.js";
import { boxNow, useKiosk } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Device} Device */
/** @typedef {import("/shared/types.js").Measured} Measured */

/** @param {{ device: Device, which: string, icon: string, kinds: string[], typeIt: () => void }} props */
export function MeterPage({ device, which, icon, kinds, typeIt }) {
  const { measured } = useKiosk();
  const newest = measured[device.id] ?? null;
  useEffect(() => {
    attempt(readMeasured);
  }, [device.id]);
  const take = () => attempt(() => takeMeasured(device.id).then(() => goVisit("tiles")));
  return html`<${Page} title=${t(`exam.${which}`)} icon=${icon} step=${newest ? t("meter.check") : t(`meter.${which}.help`)} class="vital" back=${() => goVisit("tiles")}
    note=${html`<${Chip} icon="plug"><bdi>${device.model || t(`instrument.${device.instrument}`)}</bdi><//>`}
    extra=${html`<${Button} go=${typeIt} class="button-quiet">${t("meter.type")}<//>`}
    main=${html`<${Main} go=${take} icon="check" why=${newest ? "" : t("meter.why")}>${t("meter.take")}<//>`}>
    <div class="meter">
      <div class="meter-numbers">${kinds.map((kind) => html`<${Number} kind=${kind} newest=${newest} key=${kind} />`)}</div>
      ${newest ? html`<${Verdict} newest=${newest} />` : html`<${Hint} kind="info" icon="loader" title=${t(`meter.${which}.do`)}>${t("meter.wait")}<//>`}
    </div>
  <//>`;
}

/** @param {{ kind: string, newest: Measured | null }} props */
function Number({ kind, newest }) {
  const reading = newest?.readings.find((one) => one.kind === kind);
  return html`<div class=${`card meter-number ${reading ? "meter-here" : ""}`}><span class="soft">${t(`vital.${kind}`)}</span>
    ${reading ? html`<${Value} value=${reading.value} unit=${reading.unit} />` : html`<${Icon} name="circle-dashed" size="56px" />`}</div>`;
}

/** @param {{ newest: Measured }} props */
function Verdict({ newest }) {
  const ago = age((boxNow() - newest.at_ms) / 1000);
  const reason = newest.quality.reasons[0];
  if (newest.quality.usable && !reason) return html`<${Hint} kind="ok" title=${t("meter.good")}>${ago}<//>`;
  return html`<${Hint} kind="attention" title=${t("meter.again")}>${reasonText(reason ?? "")} · ${ago}<//>`;
}
