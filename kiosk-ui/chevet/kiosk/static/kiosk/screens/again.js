/** A specialist asked for one recording again: the same two identifiers, then straight to the coach and its point. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { continueCase, goVisit, sendVisit } from "/kiosk/actions.js";
import { attempt } from "/kiosk/attempt.js";
import { recordingsOf } from "/kiosk/exams.js";
import { Button, Hint, Main, Page } from "/kiosk/parts.js";
import { Patient } from "/kiosk/people.js";
import { RecordingRow, whatText } from "/kiosk/recording-row.js";
import { go } from "/kiosk/route.js";
import { useCase } from "/kiosk/screens/case.js";
import { Confirm } from "/kiosk/screens/confirm.js";
import { useKiosk } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Visit} Visit */

/** Which coach, at which point. @param {{ step: string, site: string, side: string }} asked @returns {string} a screen of the visit */
export function coachOf({ step, site, side }) {
  const coaches = /** @type {Record<string, string>} */ ({
    oximetry: "oximeter", ecg: "ecg", heart_sound: `stethoscope/${site}`, lung_sound: `lungs/${site}`, otoscopy: `otoscope/${side}`, photo: `photo/${site}`,
  });
  return (coaches[step] ?? "tiles").replace(/\/$/, "");
}

/** @param {{ id: string, message: string }} props the case, and the request in it */
export function Again({ id, message }) {
  const { visit } = useKiosk();
  const one = useCase(id);
  const asked = one?.messages.find((known) => known.id === message && known.kind === "retake");
  if (!one || !asked) return html`<main class="page waiting"><${Icon} name="loader" size="48px" /><p>${t("app.loading")}</p></main>`;
  if (visit?.state === "draft") return html`<${Busy} id=${id} />`;
  const begin = () => continueCase(one, message, coachOf(asked));
  return html`<${Confirm} patient=${one.patient} begin=${begin} back=${() => go(`case/${id}`)} backLabel=${t("answer.case")} />`;
}

/** One visit at a time: the open one first. @param {{ id: string }} props */
function Busy({ id }) {
  return html`<${Page} title=${t("again.busy")} icon="rotate-ccw" back=${() => go(`case/${id}`)} backLabel=${t("answer.case")}
    main=${html`<${Main} go=${() => go("start")} icon="house">${t("case.home")}<//>`}>
    <${Hint} kind="attention" title=${t("start.new.blocked")}>${t("again.busy.help")}<//>
  <//>`;
}

/** The visit of a retake: what was asked, what was taken, and send; nothing else is asked again. @param {{ visit: Visit, more: () => void }} props */
export function AgainBoard({ visit, more }) {
  const asked = visit.continues;
  if (!asked) return null;
  const same = recordingsOf(visit, asked.step).filter(({ site, side }) => (!asked.site || site === asked.site) && (!asked.side || side === asked.side));
  const done = same.length > 0 && !visit.capture;
  const record = () => goVisit(coachOf(asked));
  const send = () => attempt(sendVisit);
  return html`<${Page} title=${t("case.retake", { what: whatText(asked) })} icon="rotate-ccw" step=${html`<${Patient} patient=${visit.patient} />`} class="again"
    extra=${html`${done && html`<${Button} go=${record} icon="rotate-ccw">${t("result.again")}<//>`}<${Button} go=${more} class="button-quiet" icon="plus">${t("again.more")}<//>`}
    main=${done
      ? html`<${Main} go=${send} icon="send">${t("address.send")}<//>`
      : html`<${Main} go=${record} icon="arrow-right">${t("again.go")}<//>`}>
    ${asked.text && html`<blockquote class="again-words card" dir="auto"><span class="soft small">${t("again.words")}</span><p>${asked.text}</p></blockquote>`}
    ${done ? html`<${Hint} kind="ok" title=${t("again.done")}>${t("again.done.help")}<//>` : html`<${Hint} kind="info" icon="info" title=${t("again.why")}>${t("again.why.help")}<//>`}
    <div class="review-list">${visit.recordings.map((recording) => html`<${RecordingRow} recording=${recording} key=${recording.id} />`)}</div>
  <//>`;
}
