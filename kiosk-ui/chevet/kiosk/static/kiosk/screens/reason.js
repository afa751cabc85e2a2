/** Why the patient came: one touch. */

import { t } from "/shared/i18n.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { goVisit, patchVisit } from "/kiosk/actions.js";
import { attempt } from "/kiosk/attempt.js";
import { QUESTIONS } from "/kiosk/questions.js";
import { Button, Choice, Page } from "/kiosk/parts.js";
import { askedHere } from "/kiosk/specialties.js";

/** @typedef {import("/shared/types.js").Visit} Visit */

/** Reason: its picture and the specialty it usually goes to. */
export const REASONS = /** @type {Record<string, [string, string]>} */ ({
  breathlessness: ["med/lungs", "cardiology"],
  chest_pain: ["med/heart_organ", "cardiology"],
  palpitations: ["med/heartbeat", "cardiology"],
  cough: ["med/coughing_alt", "pneumology"],
  fever: ["med/fever", "general"],
  ear_pain: ["med/ear", "ent"],
  headache: ["med/headache", "internal-medicine"],
  abdominal_pain: ["med/stomach", "internal-medicine"],
  high_blood_pressure: ["med/blood_pressure_monitor", "cardiology"],
  pregnancy: ["med/pregnant", "gynaecology-obstetrics"],
  skin: ["med/allergies", "dermatology"],
  other: ["plus", "general"],
});

/** @param {{ visit: Visit }} props */
export function Reason({ visit }) {
  const choose = (/** @type {string} */ reason) =>
    attempt(async () => {
      const specialty = visit.specialty || askedHere(REASONS[reason]?.[1] ?? "general");
      const next = QUESTIONS[reason] ? "history" : "tiles";
      await patchVisit({ reason, specialty, screen: next });
      goVisit(next);
    });
  return html`<${Page} title=${t("reason.title")} step=${t("reason.help")} back=${() => goVisit("consent")}
    extra=${html`<${Button} go=${() => goVisit("follow_up")} icon="calendar">${t("reason.follow_up")}<//>`}>
    <div class="choices choices-4 choices-dense">
      ${Object.entries(REASONS).map(([reason, [icon]]) => html`<${Choice} icon=${icon} title=${t(`visit_reason.${reason}`)} chosen=${visit.reason === reason} go=${() => choose(reason)} />`)}
    </div>
  <//>`;
}
