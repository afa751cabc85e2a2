/** One lesson: what the situation is, what to do, who the patient is; then its end, with the question to think about. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { Choice, Hint, Main, Page } from "/kiosk/parts.js";
import { Patient } from "/kiosk/people.js";
import { go } from "/kiosk/route.js";
import { useKiosk } from "/kiosk/store.js";
import { beginLesson, finishLesson, layReady, mark, openLesson, set, stepText, useTraining } from "/kiosk/training.js";
import { attempt } from "/kiosk/attempt.js";
import { StepList } from "/kiosk/training-strip.js";

/** @typedef {import("/shared/types.js").TrainingLesson} TrainingLesson */

/** @param {{ lesson: TrainingLesson }} props */
export function Situation({ lesson }) {
  const { patient } = lesson;
  return html`<div class="situation">
    <section class="card"><h3><${Icon} name="eye" size="26px" />${t("training.situation")}</h3><p>${t(`training.lesson.${lesson.code}.task`)}</p></section>
    <section class="card"><h3><${Icon} name="hand" size="26px" />${t("training.todo")}</h3><p>${t(`training.lesson.${lesson.code}.do`)}</p></section>
    ${lesson.steps.some(({ check }) => check === "right_patient") && html`<p class="situation-patient"><${Icon} name="user" size="24px" />
      <span class="soft">${t("training.patient")}</span> <b><${Patient} patient=${patient} /></b> <bdi dir="ltr">${patient.local_number}</bdi></p>`}
  </div>`;
}

/** @param {{ code: string }} props */
export function LessonPage({ code }) {
  const { course } = useTraining();
  const lesson = course?.lessons.find((one) => one.code === code);
  if (!course || !lesson) return html`<main class="page waiting"><${Icon} name="loader" size="48px" /><p>${t("app.loading")}</p></main>`;
  const number = course.lessons.indexOf(lesson) + 1;
  const absent = course.missing.filter((kind) => needs(lesson, kind));
  return html`<${Page} title=${t(`training.lesson.${code}`)} icon=${lesson.icon} class="lesson" back=${() => go("training")} backLabel=${t("training.all")}
    step=${html`${t("training.number", { n: number })} · ${t("training.minutes", { n: lesson.minutes })}`}
    main=${html`<${Main} go=${() => beginLesson(lesson)} icon="play">${t("training.begin")}<//>`}>
    <${Situation} lesson=${lesson} />
    <p class="soft lesson-steps">${lesson.steps.filter(({ check }) => !["answered", "in_time"].includes(check)).map((step) => html`<span class="chip">${stepText(step)}</span>`)}</p>
    ${absent.length > 0 && html`<${Hint} kind="attention" icon="unplug" title=${t("training.missing", { what: absent.map((kind) => t(`instrument.${kind}`)).join(" · ") })}>${t("training.missing.help")}<//>`}
  <//>`;
}

const STEPS_OF = /** @type {Record<string, string[]>} */ ({
  oximeter: ["oximetry"], ecg: ["ecg"], stethoscope: ["heart_sound", "lung_sound"], otoscope: ["otoscopy"],
});

/** @param {TrainingLesson} lesson @param {string} kind */
function needs(lesson, kind) {
  return lesson.steps.some(({ check, arg }) => check === "recorded" && STEPS_OF[kind]?.includes(arg.split(":")[0] ?? ""));
}

/** The end of a lesson: what the box has seen, one question, then the score. */
export function FinishPage() {
  const { course, answered } = useTraining();
  const { visit } = useKiosk();
  const open = openLesson(course);
  if (!open) return html`<main class="page waiting"><${Icon} name="loader" size="48px" /><p>${t("app.loading")}</p></main>`;
  const { one, lesson } = open;
  const question = lesson.question;
  const answer = (/** @type {string} */ option) => {
    if (answered === lesson.code) return;
    set({ answered: lesson.code });
    mark(`answer:${option}`);
    chosen.set(lesson.code, option);
  };
  const back = () => {
    if (visit?.state === "draft") return go(`visit/${visit.screen || "tiles"}`);
    return lesson.begins === "tiles" && !visit ? attempt(layReady) : go("start");
  };
  const why = question && answered !== lesson.code ? t("training.finish.why") : "";
  return html`<${Page} title=${t("training.finish.title")} icon="graduation-cap" class="lesson-end" back=${one.steps.some(({ check, value }) => check === "sent" && value >= 1) ? undefined : back} backLabel=${t("training.goon")}
    step=${t(`training.lesson.${lesson.code}`)} main=${html`<${Main} go=${finishLesson} icon="check" why=${why}>${t("training.finish.go")}<//>`}>
    <div class=${question ? "lesson-two" : ""}>
      <section class="card"><h2>${t("training.seen")}</h2>
        <${StepList} steps=${one.steps.filter(({ check }) => !["in_time", "answered"].includes(check))} />
        ${one.steps.some(({ check, value }) => check === "sent" && value >= 1) && html`<p class="soft small">${t("training.finish.sent")}</p>`}</section>
      ${question && html`<section class="lesson-ask"><h2>${t(`training.ask.${question.code}`)}</h2>
        <div class="lesson-options">${question.options.map((option) => html`<${Choice} title=${t(`training.ask.${question.code}.${option}`)}
          chosen=${answered === lesson.code && chosen.get(lesson.code) === option} go=${() => answer(option)} key=${option} />`)}</div></section>`}
    </div>
  <//>`;
}

/** What was answered on this page; the box has the first answer. @type {Map<string, string>} */
const chosen = new Map();
