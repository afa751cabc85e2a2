/** The course: its lessons in order, what was reached, and what the last lesson came to. */

import { date, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { attempt } from "/kiosk/attempt.js";
import { Button, Chip, Dialog, Empty, Hint, Main, Page } from "/kiosk/parts.js";
import { go } from "/kiosk/route.js";
import { beginLesson, openLesson, PASS_AT, readCourse, useTraining } from "/kiosk/training.js";
import { StepList } from "/kiosk/training-strip.js";
import { CertificatePage } from "/kiosk/screens/certificate.js";
import { TrainingAnswer } from "/kiosk/screens/training-answer.js";
import { FinishPage, LessonPage } from "/kiosk/screens/training-lesson.js";

/** @typedef {import("/shared/types.js").Course} Course */
/** @typedef {import("/shared/types.js").TrainingLesson} TrainingLesson */
/** @typedef {import("/shared/types.js").TrainingAttempt} TrainingAttempt */

/** @param {{ which: string }} props the part of the address after "training" */
export function TrainingPage({ which }) {
  const { course } = useTraining();
  useEffect(() => {
    attempt(readCourse);
  }, [which]);
  if (!course) return html`<main class="page waiting"><${Icon} name="loader" size="48px" /><p>${t("app.loading")}</p></main>`;
  if (which === "finish" && course.open) return html`<${FinishPage} />`;
  if (which === "answer" && course.open) return html`<${TrainingAnswer} />`;
  if (which === "result") return html`<${ResultPage} course=${course} />`;
  if (which === "certificate") return html`<${CertificatePage} course=${course} />`;
  if (course.lessons.some(({ code }) => code === which)) return html`<${LessonPage} code=${which} key=${which} />`;
  return html`<${CoursePage} course=${course} />`;
}

/** @param {{ course: Course }} props */
function CoursePage({ course }) {
  const [history, show] = useState(false);
  const passed = course.lessons.filter(({ best }) => best !== null).length;
  const next = course.lessons.find(({ best }) => best === null) ?? null;
  const open = openLesson(course);
  const main = open
    ? html`<${Main} go=${() => go("training/finish")} icon="arrow-right">${t("training.open", { what: t(`training.lesson.${open.lesson.code}`) })}<//>`
    : next
      ? html`<${Main} go=${() => go(`training/${next.code}`)} icon="arrow-right">${t(`training.lesson.${next.code}`)}<//>`
      : html`<${Main} go=${() => go("training/certificate")} icon="badge-check">${t("training.certificate")}<//>`;
  return html`<${Page} title=${t("training.title")} icon="graduation-cap" class="course" back=${() => go("start")}
    step=${t("training.course", { done: passed, of: course.lessons.length })}
    extra=${html`<${Button} go=${() => show(true)} icon="clock" class="button-quiet">${t("training.history")}<//>`} main=${main}>
    <ol class="lessons">${course.lessons.map((lesson, n) => html`<${Row} lesson=${lesson} number=${n + 1} isNext=${lesson === next} busy=${Boolean(open)} key=${lesson.code} />`)}</ol>
    ${history && html`<${HistoryDialog} course=${course} close=${() => show(false)} />`}
  <//>`;
}

/** @param {{ lesson: TrainingLesson, number: number, isNext: boolean, busy: boolean }} props */
function Row({ lesson, number, isNext, busy }) {
  return html`<li><button class=${`lesson-row ${isNext ? "lesson-next" : ""}`} disabled=${busy} onClick=${() => go(`training/${lesson.code}`)}>
    <bdi class="lesson-number">${number}</bdi><${Icon} name=${lesson.icon} size="34px" />
    <b>${t(`training.lesson.${lesson.code}`)}</b>
    ${lesson.best === null
      ? html`<span class="soft small">${t("training.minutes", { n: lesson.minutes })}</span>`
      : html`<${Chip} kind="ok" icon="check"><bdi dir="ltr">${lesson.best}</bdi><//>`}
  </button></li>`;
}

/** @param {{ course: Course, close: () => void }} props */
function HistoryDialog({ course, close }) {
  return html`<${Dialog} title=${t("training.history")} close=${close}>
    ${!course.history.length && html`<${Empty} icon="graduation-cap" title=${t("training.history.empty")}>${t("training.history.help")}<//>`}
    <ul class="lesson-history">${course.history.map((one) => html`<li key=${one.id}><b>${t(`training.lesson.${one.lesson}`)}</b>
      <span class="soft small">${date(one.ended_ms ?? one.started_ms, { dateStyle: "medium", timeStyle: "short" })}</span>
      <${Passed} one=${one} /><bdi dir="ltr" class="value">${one.points}</bdi></li>`)}</ul>
  <//>`;
}

/** @param {{ one: TrainingAttempt }} props */
function Passed({ one }) {
  const good = one.state === "passed";
  return html`<${Chip} kind=${good ? "ok" : "attention"} icon=${good ? "check" : "rotate-ccw"}>${good ? t("training.passed") : t("training.failed")}<//>`;
}

/** @param {{ course: Course }} props */
function ResultPage({ course }) {
  const { result } = useTraining();
  const one = result ?? course.history[0];
  const at = course.lessons.findIndex(({ code }) => code === one?.lesson);
  const lesson = course.lessons[at];
  if (!one || !lesson) return html`<${CoursePage} course=${course} />`;
  const good = one.state === "passed";
  const next = good ? course.lessons[at + 1] : lesson;
  const ended = course.certificate !== null && (!next || next.best !== null);
  const on = () => (ended || !next ? go("training/certificate") : good ? go(`training/${next.code}`) : beginLesson(lesson));
  return html`<${Page} title=${t(`training.lesson.${one.lesson}`)} icon=${lesson.icon} class="lesson-result" back=${() => go("training")} backLabel=${t("training.all")}
    extra=${good && html`<${Button} go=${() => beginLesson(lesson)} icon="rotate-ccw">${t("training.again")}<//>`}
    main=${html`<${Main} go=${on} icon=${good ? "arrow-right" : "rotate-ccw"}>${ended ? t("training.certificate") : good ? t("training.next") : t("training.again")}<//>`}>
    <div class="result-two">
      <section class=${`card score-card ${good ? "score-good" : "score-again"}`}>
        <${Passed} one=${one} />
        <bdi dir="ltr" class="score-number" role="img" aria-label=${t("training.points", { n: one.points ?? 0 })}>${one.points}<span class="score-of"> / 100</span></bdi>
        ${!good && html`<span class="small">${(one.points ?? 0) < PASS_AT ? t("training.failed.points", { n: PASS_AT }) : t("training.failed.must")}</span>`}
        <ul class="score-parts">${Object.entries(one.parts).map(([part, points]) => html`<li key=${part}><span>${t(`training.part.${part}`)}</span>
          <meter min="0" max="100" value=${points} aria-label=${t(`training.part.${part}`)}></meter><bdi dir="ltr">${points}</bdi></li>`)}</ul>
      </section>
      <section class="card"><h2>${t("training.seen")}</h2><${StepList} steps=${one.steps} /></section>
    </div>
    ${!good && html`<${Hint} kind="info" title=${t("training.todo")}>${t(`training.lesson.${one.lesson}.do`)}<//>`}
  <//>`;
}
