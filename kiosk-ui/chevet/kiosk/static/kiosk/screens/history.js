/** A short history, guided by the reason: since when, and which signs are there. What is not touched was asked and denied. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { goVisit, patchVisit } from "/kiosk/actions.js";
import { attempt } from "/kiosk/attempt.js";
import { Button, Main, Page } from "/kiosk/parts.js";
import { QUESTIONS, SINCE } from "/kiosk/questions.js";

/** @typedef {import("/shared/types.js").Visit} Visit */

/** @param {{ visit: Visit }} props */
export function History({ visit }) {
  const signs = QUESTIONS[visit.reason] ?? [];
  const [since, choose] = useState(visit.history.since ?? "");
  const [there, tick] = useState(signs.filter((sign) => visit.history[`symptom.${sign}`] === "yes"));
  const toggle = (/** @type {string} */ sign) => tick(there.includes(sign) ? there.filter((one) => one !== sign) : [...there, sign]);
  const save = () =>
    attempt(async () => {
      const answers = signs.map((sign) => [`symptom.${sign}`, there.includes(sign) ? "yes" : "no"]);
      await patchVisit({ history: { since, ...Object.fromEntries(answers) } });
      goVisit("tiles");
    });
  return html`<${Page} title=${t(`visit_reason.${visit.reason || "other"}`)} step=${t("history.help")} class="history" back=${() => goVisit("reason")}
    extra=${html`<${Button} go=${() => goVisit("tiles")} icon="skip-forward" class="button-quiet">${t("coach.skip")}<//>`}
    main=${html`<${Main} go=${save} icon="arrow-right" why=${since ? "" : t("history.why")}>${there.length ? t("do.next") : t("history.none")}<//>`}>
    <div class="history-since"><span class="label" id="since">${t("history.since")}</span>
      <div class="segments segments-wide" role="group" aria-labelledby="since">
        ${SINCE.map((one) => html`<button aria-pressed=${String(since === one)} onClick=${() => choose(one)}>${t(`history.since.${one}`)}</button>`)}
      </div></div>
    <div class="choices history-signs" role="group" aria-label=${t("history.help")}>
      ${signs.map((sign) => html`<button class="choice history-sign" aria-pressed=${String(there.includes(sign))} onClick=${() => toggle(sign)}>
        <span class="tick-box"><${Icon} name="check" /></span><span class="choice-title">${t(`symptom.${sign}`)}</span></button>`)}
    </div>
  <//>`;
}

/** Answers as a person reads them: since when, then what is there, then what was denied. @param {Record<string, string>} history */
export function historyText(history) {
  const of = (/** @type {string} */ answer) => Object.keys(history).filter((key) => key.startsWith("symptom.") && history[key] === answer).map((key) => t(key));
  return { since: history.since ? t(`history.since.${history.since}`) : "", yes: of("yes"), no: of("no") };
}
