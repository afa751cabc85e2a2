/** The board of a time-critical path: the clock, the few steps that count, the telephone, and "send" at any moment. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { giveConsent, goVisit, patchVisit, sendVisit } from "/kiosk/actions.js";
import { attempt } from "/kiosk/attempt.js";
import { vitalOf } from "/kiosk/exams.js";
import { Button, Chip, Main, Page, Value } from "/kiosk/parts.js";
import { Patient } from "/kiosk/people.js";
import { PATHS } from "/kiosk/paths.js";
import { go } from "/kiosk/route.js";
import { nihssOf } from "/kiosk/sheets.js";
import { AskConsent } from "/kiosk/screens/consent.js";
import { boxNow, useKiosk } from "/kiosk/store.js";
import { urgentQuestion } from "/kiosk/told.js";
import { askedHere } from "/kiosk/specialties.js";

/** @typedef {import("/shared/types.js").Visit} Visit */
/** @typedef {import("/kiosk/paths.js").PathStep} PathStep */

const MINUTE_MS = 60_000;

/** Everything that is asked in a usual visit is answered by the path; consent is asked when there is time. @param {string} path */
export async function takePath(path) {
  const { reason, specialty } = PATHS[path] ?? {};
  await patchVisit({ path, reason, specialty: askedHere(specialty ?? "general"), urgency: "emergency", question: t(`path.question.${path}`), screen: "tiles" });
  await giveConsent(["care"], "", path);
  go("visit/tiles");
}

/** Minutes, told again each second. @param {number | null} from ms @returns {number | null} whole minutes since */
function useMinutes(from) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return from === null ? null : Math.max(0, Math.floor((boxNow() - from) / MINUTE_MS));
}

/** "1:07", hours and minutes. @param {number} minutes */
export function hours(minutes) {
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
}

/** @param {{ visit: Visit }} props */
export function UrgentBoard({ visit }) {
  const phone = useKiosk().status?.site.phone || "141";
  const [busy, setBusy] = useState(false);
  const path = PATHS[visit.path];
  if (!path) return null;
  const next = path.steps.find((step) => !step.done(visit));
  const send = async () => {
    setBusy(true);
    await attempt(async () => {
      await patchVisit({ question: urgentQuestion(visit) });
      await sendVisit();
    });
    setBusy(false);
  };
  const leave = () => attempt(() => patchVisit({ path: "" }));
  return html`<${Page} title=${t(`path.${visit.path}`)} step=${html`<${Patient} patient=${visit.patient} />`} class="urgent"
    note=${html`<${Button} go=${leave} class="button-quiet">${t("path.leave")}<//>${visit.override && html`<${AskConsent} />`}`}
    extra=${html`<${Button} go=${send} icon="send" class=${next ? "" : "button-hidden"}>${busy ? t("app.loading") : t("path.send_now")}<//>`}
    main=${next
      ? html`<${Main} go=${() => goVisit(next.screen)} icon="arrow-right">${t("tiles.next", { what: t(`exam.${next.key}`) })}<//>`
      : html`<${Main} go=${send} icon="send" busy=${busy}>${t("path.send_now")}<//>`}>
    <div class="urgent-top">
      <${Clock} visit=${visit} window=${path.window_min} />
      <div class="urgent-call"><${Icon} name="phone" size="32px" /><span>${t("path.call")}</span><bdi dir="ltr" class="call-number">${phone}</bdi></div>
    </div>
    <div class="urgent-steps">${path.steps.map((step, n) => html`<${Step} visit=${visit} step=${step} n=${n + 1} isNext=${step === next} key=${step.key} />`)}</div>
  <//>`;
}

/** How long since it began; the window is that of the guidance, shown and not judged. @param {{ visit: Visit, window?: number }} props */
function Clock({ visit, window }) {
  const at = visit.history["onset.at"];
  const minutes = useMinutes(at ? Number(at) : null);
  const here = useMinutes(visit.created_ms);
  const unknown = visit.history["onset.how"] === "unknown";
  const late = minutes !== null && window !== undefined && minutes > window;
  return html`<div class="urgent-clock"><${Icon} name="timer" size="40px" />
    ${minutes === null
      ? html`<span><b>${unknown ? t("onset.unknown") : t("path.here")}</b><bdi dir="ltr" class="urgent-time">${hours(here ?? 0)}</bdi></span>`
      : html`<span><b>${t(visit.history["onset.how"] === "woke_up" ? "onset.since.well" : "onset.since")}</b><bdi dir="ltr" class="urgent-time">${hours(minutes)}</bdi></span>`}
    ${window !== undefined && minutes !== null && html`<${Chip} kind=${late ? "attention" : "info"}><bdi dir="ltr">${hours(window)}</bdi> ${t("path.window")}<//>`}
  </div>`;
}

/** @param {{ visit: Visit, step: PathStep, n: number, isNext: boolean }} props */
function Step({ visit, step, n, isNext }) {
  const done = step.done(visit);
  const waited = useMinutes(visit.created_ms) ?? 0;
  const late = !done && step.within_min !== undefined && waited >= step.within_min;
  return html`<button class=${`urgent-step ${done ? "urgent-done" : ""} ${isNext ? "tile-next" : ""}`} data-step=${step.key} onClick=${() => goVisit(step.screen)}>
    <span class="urgent-n">${done ? html`<${Icon} name="check" size="20px" />` : n}</span><${Icon} name=${step.icon} size="36px" />
    <b>${t(`exam.${step.key}`)}</b>
    <span class="urgent-value"><${StepValue} visit=${visit} step=${step} />
      ${step.within_min && !done ? html`<${Chip} kind=${late ? "bad" : "attention"}>${t("path.within", { n: step.within_min })}<//>` : ""}</span>
  </button>`;
}

/** @param {{ visit: Visit, step: PathStep }} props */
function StepValue({ visit, step }) {
  if (step.key === "nihss") {
    const { total, answered, untested } = nihssOf(visit.history);
    return answered ? html`<bdi dir="ltr">${total}/42${answered < 15 || untested ? ` (${answered}/15)` : ""}</bdi>` : null;
  }
  if (step.key === "blood_pressure") {
    const [high, low] = ["systolic", "diastolic"].map((kind) => vitalOf(visit, kind)?.value);
    return high ? html`<bdi dir="ltr">${high}/${low ?? "\u2013"}</bdi>` : null;
  }
  const kinds = /** @type {Record<string, string>} */ ({ glucose: "glucose", oximetry: "spo2", temperature: "temperature", respiration: "respiration_rate" });
  const vital = vitalOf(visit, kinds[step.key]);
  return vital && html`<${Value} value=${vital.value} unit=${vital.unit} />`;
}
