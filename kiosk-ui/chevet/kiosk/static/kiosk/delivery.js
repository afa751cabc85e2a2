/** The five states of a study on its way, always the same words, shapes and colours. */

import { age, clock, date, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { Chip } from "/kiosk/parts.js";
import { boxNow } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Case} Case */

export const STATES = /** @type {const} */ (["on_box", "travelling", "at_relay", "opened", "answered"]);
const ICONS = { on_box: "hard-drive", travelling: "send", at_relay: "building-2", opened: "eye", answered: "mail-open" };
const KINDS = /** @type {const} */ ({ on_box: "", travelling: "info", at_relay: "info", opened: "info", answered: "ok" });

/** @param {{ one: Case }} props */
export function DeliveryChip({ one }) {
  if (one.refused) return html`<${Chip} kind="bad" icon="triangle-alert">${t("delivery.refused")}<//>`;
  if (one.retakes.length) return html`<${Chip} kind="attention" icon="rotate-ccw">${t("delivery.retake")}<//>`;
  const kind = one.unread ? "attention" : KINDS[one.state];
  const words = one.unread ? t(one.opinion_ms ? "delivery.unread" : "delivery.message") : t(`delivery.${one.state}`);
  return html`<${Chip} kind=${kind} icon=${ICONS[one.state]}>${words}${one.state === "travelling" && html` <bdi dir="ltr">${Math.round(one.percent)} %</bdi>`}<//>`;
}

/** Where the study is now, in one large sentence and five steps. @param {{ one: Case }} props */
export function Road({ one }) {
  const reached = STATES.indexOf(one.state);
  return html`<ol class="road">
    ${STATES.map(
      (state, i) => html`<li class=${i < reached ? "road-past" : i === reached ? "road-now" : "road-later"} aria-current=${i === reached ? "step" : undefined}>
        <span class="road-shape"><${Icon} name=${i < reached ? "check" : ICONS[state]} size="28px" /></span>
        <b>${t(`delivery.${state}`)}</b>
        <span class="soft small">${i === reached ? t(`delivery.${state}.help`) : ""}</span>
        ${i === reached && state === "travelling" && html`<${Progress} percent=${one.percent} />`}
      </li>`,
    )}
  </ol>`;
}

/** @param {{ percent: number }} props */
function Progress({ percent }) {
  const whole = Math.round(percent);
  return html`<span class="progress" role="progressbar" aria-label=${t("delivery.travelling")} aria-valuenow=${whole} aria-valuemin="0" aria-valuemax="100">
    <i style=${{ inlineSize: `${whole}%` }}></i></span><bdi dir="ltr" class="small">${whole} %</bdi>`;
}

/** "Sent 3 minutes ago · 10:42". @param {number} ms */
export function since(ms) {
  const seconds = Math.max(0, (boxNow() - ms) / 1000);
  return `${age(seconds)} · ${seconds < 72000 ? clock(ms) : date(ms, { day: "numeric", month: "short" })}`;
}
