/** Oximeter: wait for a steady pulse wave, then keep ten seconds with the two numbers. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { useCapture } from "/kiosk/coaches/capture.js";
import { useByItself } from "/kiosk/coaches/by-itself.js";
import { Coach, isClean, QualityChip, QualityHint, toTiles } from "/kiosk/coaches/coach.js";
import { Fingers, wantsFinger } from "/kiosk/coaches/fingers.js";
import { LiveMonitor, LOOKS, StillMonitor } from "/kiosk/coaches/monitor.js";
import { Result } from "/kiosk/coaches/result.js";
import { recordingsOf } from "/kiosk/exams.js";
import { Value } from "/kiosk/parts.js";
import { useKiosk } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Visit} Visit */
/** @typedef {import("/shared/types.js").Reading} Reading */

const SECONDS = 10;

/** @param {{ visit: Visit }} props */
export function Oximeter({ visit }) {
  const { readings } = useKiosk();
  const taking = useCapture(visit, { step: "oximetry", instrument: "oximeter", seconds: SECONDS });
  const look = { ...LOOKS.pleth, label: t("signal.pleth") };
  const latest = taking.device ? (readings[taking.device.id] ?? {}) : {};
  const begins = useByItself(taking, !recordingsOf(visit, "oximetry").length, isClean(taking.live?.quality));
  const common = { exam: "oximetry", icon: "med/pulse_oximeter", taking };
  const recorded = taking.capture?.recording?.readings ?? [];
  const result = html`<${Result} ...${common} kept=${toTiles} picture=${html`<${Numbers} latest=${lastOf(recorded)} />`}>
    <${StillMonitor} capture=${taking.capture?.id} look=${look} />
  <//>`;
  return html`<${Coach} ...${common} skip=${{ step: "oximetry" }} typed="vital/oximetry" leave=${toTiles} result=${result} class="coach-oximeter"
    step=${t("oximeter.step")} recordLabel=${t("coach.record", { n: SECONDS })} chips=${html`<${QualityChip} quality=${taking.live?.quality} />`}
    picture=${wantsFinger(taking.live?.quality) && taking.phase === "live" ? html`<${Fingers} />` : html`<${Numbers} latest=${latest} />`}
    hint=${html`<${QualityHint} quality=${taking.live?.quality} good=${t("oximeter.good")} begins=${begins} />`}>
    <${LiveMonitor} device=${taking.device?.id ?? ""} look=${look} key=${taking.device?.id} />
    ${taking.device && !Object.keys(taking.device.rates).length && html`<p class="monitor-words">${t("oximeter.no_wave")}</p>`}
  <//>`;
}

/** @param {Reading[]} readings @returns {Record<string, Reading>} the last of each kind that had a value */
function lastOf(readings) {
  return Object.fromEntries(readings.filter(({ value }) => value !== null).map((reading) => [reading.kind, reading]));
}

/** The two numbers, large; a dash where there is none, never zero. @param {{ latest: Record<string, Reading> }} props */
function Numbers({ latest }) {
  return html`<div class="numbers">
    <div class="number"><span class="soft">${t("vital.spo2")}</span><${Value} value=${latest.spo2?.value} unit="%" digits=${0} /></div>
    <div class="number"><span class="soft"><${Icon} name="med/heartbeat" />${t("vital.pulse_rate")}</span><${Value} value=${latest.pulse_rate?.value} unit="/min" digits=${0} /></div>
  </div>`;
}
