/** After a recording: good, keep it; poor, say why and do it again; twice poor, send it marked poor. */

import { t } from "/shared/i18n.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { codeOf, reasonDo } from "/kiosk/coaches/coach.js";
import { Remedy } from "/kiosk/coaches/remedy.js";
import { reasonSays } from "/kiosk/electrodes.js";
import { Button, Chip, Hint, Main, Page, Value } from "/kiosk/parts.js";

/** @typedef {import("/kiosk/coaches/capture.js").Taking} Taking */
/** @typedef {import("/kiosk/parts.js").Child} Child */

/**
 * @param {{ exam: string, icon: string, step?: Child, taking: Taking, kept: () => void, best?: number | null, picture?: Child,
 *   numbers?: Child, children: Child, class?: string }} props
 */
export function Result(props) {
  const { taking, kept, best = null } = props;
  const recording = taking.capture?.recording;
  if (!recording) return null;
  const { quality } = recording;
  const keep = (/** @type {boolean} */ poor) => taking.keep(poor, best).then(kept);
  return html`<${Page} title=${t(`exam.${props.exam}`)} icon=${props.icon} step=${props.step} class=${`coach result ${props.class ?? ""}`}
    note=${html`<${Chip}><${Value} value=${recording.duration_s} unit="s" digits=${0} /><//>
      ${recording.lost_samples > 0 && html`<${Chip} kind="attention">${t("result.lost", { n: recording.lost_samples })}<//>`} ${props.numbers}`}
    extra=${quality.usable
      ? html`<${Button} go=${taking.again} icon="rotate-ccw">${t("result.again")}<//>`
      : taking.mayBePoor && html`<${Button} go=${() => keep(true)} icon="send">${t("result.poor_anyway")}<//>`}
    main=${quality.usable
      ? html`<${Main} go=${() => keep(false)} icon="check" busy=${taking.busy}>${t("result.keep")}<//>`
      : html`<${Main} go=${taking.again} icon="rotate-ccw" busy=${taking.busy}>${t("result.again")}<//>`}>
    <div class=${`coach-grid ${props.picture ? "" : "coach-grid-wide"}`}>
      ${props.picture && html`<div class="coach-picture card">${props.picture}</div>`}
      <div class="coach-hint">
        <${Verdict} quality=${quality} or=${quality.usable ? t("result.good.help") : taking.mayBePoor ? t("result.poor.or") : ""} />
      </div>
      <div class="coach-signal">${props.children}</div>
    </div>
  <//>`;
}

/** Good with nothing to say, good enough with a fault in it, or poor: a fault is always named. @param {{ quality: import("/shared/types.js").Quality, or: string }} props */
function Verdict({ quality, or }) {
  const reason = quality.reasons[0] ?? "";
  if (quality.usable && !reason) return html`<${Hint} kind="ok" title=${t("result.good")}>${or}<//>`;
  return html`<${Hint} kind="attention" picture=${html`<${Remedy} reason=${reason} />`} title=${reasonDo(reason)} say=${reasonDo(codeOf(reason))}>${reasonSays(reason)} ${or}<//>`;
}
