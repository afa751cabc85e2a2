/** The first screen after sign-in: go on with a draft, begin a visit, read answers. */

import { age, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect } from "/shared/vendor/htm-preact/standalone.module.js";
import { readCases } from "/kiosk/actions.js";
import { DeliveryChip } from "/kiosk/delivery.js";
import { Chip, Empty } from "/kiosk/parts.js";
import { apart, Patient } from "/kiosk/people.js";
import { go } from "/kiosk/route.js";
import { boxNow, useKiosk } from "/kiosk/store.js";
import { openLesson, useTraining } from "/kiosk/training.js";
import { Situation } from "/kiosk/screens/training-lesson.js";

/** @typedef {import("/shared/types.js").Case} Case */
/** @typedef {import("/shared/types.js").Visit} Visit */

export function Start() {
  const { visit, cases, worker, status } = useKiosk();
  useEffect(() => {
    readCases();
  }, []);
  const draft = visit?.state === "draft" ? visit : null;
  const unread = cases.filter((one) => one.unread);
  const others = cases.filter((one) => !one.unread);
  return html`<main class="page start">
    <section class="start-do">
      <h1 tabindex="-1">${t("start.hello", { name: worker?.name ?? "" })}</h1>
      ${draft && html`<${Draft} visit=${draft} />`}
      <button class=${`start-new ${draft ? "start-second" : ""}`} onClick=${() => go("danger")} disabled=${Boolean(draft)}>
        <${Icon} name="user-plus" size="48px" /><b>${t("start.new")}</b>
        <span>${draft ? t("start.new.blocked") : t("start.new.help")}</span>
      </button>
      ${!draft && !status?.training && html`<button class="start-training" onClick=${() => go("training")}><${Icon} name="graduation-cap" size="34px" />
        <span class="start-training-words"><b>${t("training.title")}</b><span class="small">${t("training.start.help")}</span></span><${Icon} name="chevron-right" /></button>`}
    </section>
    ${status?.training ? html`<${Exercise} />` : html`<section class="start-cases" aria-label=${t("start.cases")}>
      <h2>${unread.length ? t("start.unread", { n: unread.length }) : t("start.cases")}</h2>
      <div class="case-list">
        ${[...unread, ...others].map((one) => html`<${CaseRow} one=${one} key=${one.id} />`)}
        ${!cases.length && html`<${Empty} icon="inbox" title=${t("start.empty")}>${t("start.empty.help")}<//>`}
      </div>
    </section>`}
  </main>`;
}

/** In a lesson the task stands where real cases would: no real person is shown in training. */
function Exercise() {
  const open = openLesson(useTraining().course);
  return html`<section class="start-cases"><h2>${open ? t(`training.lesson.${open.lesson.code}`) : t("training.title")}</h2>
    ${open && html`<${Situation} lesson=${open.lesson} />`}</section>`;
}

/** @param {{ visit: Visit }} props */
function Draft({ visit }) {
  return html`<button class="start-new start-draft" onClick=${() => go(`visit/${visit.screen || "consent"}`)}>
    <${Icon} name="rotate-ccw" size="48px" /><b>${t("start.resume")}</b>
    <span><${Patient} patient=${visit.patient} /> · ${age((boxNow() - visit.created_ms) / 1000)}</span>
  </button>`;
}

/** Initials only: the patient's side may face this screen. @param {{ one: Case }} props */
export function CaseRow({ one }) {
  return html`<button class=${`case-row ${one.unread ? "case-unread" : ""}`} onClick=${() => go(one.unread && one.opinion_ms ? `case/${one.id}/answer` : `case/${one.id}`)}>
    <span class="case-face"><bdi>${apart(one.initials)}</bdi></span>
    <span class="case-what"><b>${t(`visit_reason.${one.reason || "other"}`)}</b>
      <span class="soft">${t(`specialty.${one.specialty}`)} · ${age((boxNow() - one.created_ms) / 1000)}</span></span>
    ${one.urgency !== "routine" && html`<${Chip} kind=${one.urgency === "emergency" ? "bad" : "attention"}>${t(`urgency.${one.urgency}`)}<//>`}
    <${DeliveryChip} one=${one} />
    <${Icon} name="chevron-right" />
  </button>`;
}
