/** The end of a visit: look it over, ask, choose who answers, send. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useRef, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { goVisit, patchVisit, sendVisit } from "/kiosk/actions.js";
import { attempt } from "/kiosk/attempt.js";
import { Chip, Choice, Empty, Main, Page, Value } from "/kiosk/parts.js";
import { Patient } from "/kiosk/people.js";
import { useKiosk } from "/kiosk/store.js";
import { useTrends } from "/kiosk/programmes.js";
import { Prompts } from "/kiosk/screens/follow-up.js";
import { historyText } from "/kiosk/screens/history.js";
import { historyLine } from "/kiosk/told.js";
import { RecordingRow } from "/kiosk/recording-row.js";

/** @typedef {import("/shared/types.js").Visit} Visit */

const SAVE_MS = 600; // after the last key

/** @param {{ visit: Visit }} props */
export function Review({ visit }) {
  const trends = useTrends(visit);
  const nothing = !visit.recordings.length && !visit.vitals.length;
  return html`<${Page} title=${t("review.title")} step=${html`<${Patient} patient=${visit.patient} /> · ${t(`visit_reason.${visit.reason || "other"}`)}`}
    back=${() => goVisit("tiles")} main=${html`<${Main} go=${() => goVisit("question")} icon="arrow-right">${t("review.go")}<//>`}>
    ${trends && html`<${Prompts} trends=${trends} />`}
    <${Told} visit=${visit} />
    ${nothing && html`<${Empty} icon="circle-alert" title=${t("review.empty")}>${t("review.empty.help")}<//>`}
    ${visit.vitals.length > 0 && html`<div class="review-vitals">
      ${visit.vitals.map((vital) => html`<div class="card review-vital"><span class="soft">${t(`vital.${vital.kind}`)}</span>
        <${Value} value=${vital.value} unit=${vital.unit} /><span class="small soft">${vital.source === "manual" ? t("review.typed") : t("review.device")}</span></div>`)}
    </div>`}
    <div class="review-list">${visit.recordings.map((recording) => html`<${RecordingRow} recording=${recording} key=${recording.id} />`)}</div>
  <//>`;
}

/** What was asked and answered before. @param {{ visit: Visit }} props */
function Told({ visit }) {
  const { since, yes, no } = historyText(visit.history);
  if (!since) return null;
  return html`<p class="history-told"><${Chip} icon="clock">${since}<//>
    ${yes.map((sign) => html`<${Chip} kind="info" icon="check">${sign}<//>`)}
    ${no.length > 0 && html`<span class="soft small">${t("history.denied")} ${no.join(" · ")}</span>`}</p>`;
}

const PHRASES = ["opinion", "treatment", "transfer", "watch"];

/** @param {{ visit: Visit }} props */
export function Question({ visit }) {
  const [text, setText] = useState(visit.question);
  const timer = useRef(0);
  const write = (/** @type {string} */ words) => {
    setText(words);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => attempt(() => patchVisit({ question: words })), SAVE_MS);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  const put = (/** @type {string} */ words) => write(text.trim() ? `${text.trim()} ${words}` : words);
  const add = (/** @type {string} */ phrase) => put(t(`phrase.${phrase}`));
  const line = historyLine(visit);
  const on = () => {
    clearTimeout(timer.current);
    attempt(async () => {
      await patchVisit({ question: text.trim() });
      goVisit("address");
    });
  };
  return html`<${Page} title=${t("question.title")} step=${t("question.help")} back=${() => goVisit("review")}
    main=${html`<${Main} go=${on} icon="arrow-right" why=${text.trim() ? "" : t("question.why")}>${t("do.next")}<//>`}>
    <div class="question">
      <textarea class="question-text" aria-label=${t("question.title")} dir=${text ? "auto" : undefined} maxlength="2000" placeholder=${t("question.placeholder")} value=${text}
        onInput=${(/** @type {InputEvent & { target: HTMLTextAreaElement }} */ event) => write(event.target.value)}></textarea>
      <div class="phrases">${line && !text.includes(line) && html`<button class="button" onClick=${() => put(line)}><${Icon} name="plus" />${t("question.history")}</button>`}
        ${PHRASES.map((phrase) => html`<button class="button" onClick=${() => add(phrase)}><${Icon} name="plus" />${t(`phrase.${phrase}`)}</button>`)}</div>
    </div>
  <//>`;
}

export const SPECIALTY_ICONS = /** @type {Record<string, string>} */ ({
  cardiology: "med/cardiology", dermatology: "med/allergies", ent: "med/ears_nose_and_throat", general: "med/stethoscope",
  "gynaecology-obstetrics": "med/pregnant", "internal-medicine": "med/stomach", nephrology: "med/kidneys", paediatrics: "med/baby_0203m", pneumology: "med/lungs",
});
const URGENCIES = /** @type {const} */ ([["routine", "clock"], ["urgent", "circle-alert"], ["emergency", "triangle-alert"]]);

/** @param {{ visit: Visit }} props */
export function Address({ visit }) {
  const { status } = useKiosk();
  const [busy, setBusy] = useState(false);
  const change = (/** @type {Record<string, string>} */ part) => attempt(() => patchVisit(part));
  const send = async () => {
    setBusy(true);
    await attempt(sendVisit);
    setBusy(false);
  };
  const urgency = visit.urgency || "routine";
  const offline = status?.uplink.state === "offline";
  return html`<${Page} title=${t("address.title")} class="address" back=${() => goVisit("question")}
    note=${offline && html`<${Chip} icon="hard-drive">${t("address.offline")}<//>`}
    main=${html`<${Main} go=${send} icon="send" busy=${busy} why=${visit.specialty ? "" : t("address.why")}>${t("address.send")}<//>`}>
    <div class="choices choices-dense address-specialties" role="radiogroup" aria-label=${t("address.title")}>
      ${(status?.specialties ?? []).map((specialty) => html`<${Choice} role="radio" icon=${SPECIALTY_ICONS[specialty] ?? "med/stethoscope"} title=${t(`specialty.${specialty}`)} chosen=${visit.specialty === specialty} go=${() => change({ specialty })} />`)}
    </div>
    <h2>${t("address.urgency")}</h2>
    <div class="choices choices-3 urgencies" role="radiogroup" aria-label=${t("address.urgency")}>
      ${URGENCIES.map(([level, icon]) => html`<${Choice} role="radio" icon=${icon} title=${t(`urgency.${level}`)} chosen=${urgency === level} go=${() => change({ urgency: level })} class=${`urgency-${level}`}><span class="soft small">${t(`urgency.${level}.help`)}</span><//>`)}
    </div>
  <//>`;
}
