/** What the worker thought of an answer: one of three faces, with its word; it may be changed. */

import { post } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { attempt } from "/kiosk/attempt.js";

/** @typedef {import("/shared/types.js").FullCase} FullCase */

const FACES = /** @type {const} */ ({ good: "smile", fair: "meh", bad: "frown" });

/** @param {{ one: FullCase }} props */
export function Feedback({ one }) {
  const [face, choose] = useState(one.feedback);
  const give = (/** @type {FullCase["feedback"]} */ given) =>
    attempt(async () => {
      await post(`/api/cases/${one.id}/feedback`, { face: given });
      choose(given);
    });
  return html`<section class="feedback" aria-label=${t("feedback.title")}><span class="soft">${face ? t("feedback.thanks") : t("feedback.title")}</span>
    <div class="faces" role="group" aria-label=${t("feedback.title")}>${/** @type {(keyof typeof FACES)[]} */ (Object.keys(FACES)).map((which) => html`<button class=${`face face-${which}`} aria-pressed=${String(face === which)} onClick=${() => give(which)}>
      <${Icon} name=${FACES[which]} size="32px" /><span class="small">${t(`feedback.${which}`)}</span></button>`)}</div>
  </section>`;
}
