/** An invented answer of an invented specialist: it looks like a real one, and says on its face that it is an exercise. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { attempt } from "/kiosk/attempt.js";
import { Main, Page } from "/kiosk/parts.js";
import { Patient } from "/kiosk/people.js";
import { go } from "/kiosk/route.js";
import { useKiosk } from "/kiosk/store.js";
import { layReady, mark, openLesson, useTraining } from "/kiosk/training.js";

export function TrainingAnswer() {
  const { course } = useTraining();
  const { visit } = useKiosk();
  const open = openLesson(course);
  if (!open) return null;
  const read = () =>
    attempt(async () => {
      await mark("answer_read");
      if (visit?.state === "draft") go("visit/tiles");
      else await layReady();
    });
  return html`<${Page} title=${t("training.answer.title")} icon="mail-open" class="answer" step=${html`<${Patient} patient=${open.lesson.patient} />`}
    main=${html`<${Main} go=${read} icon="rotate-ccw">${t("training.answer.go")}<//>`}>
    <ul class="todo">
      <li class="todo-ok"><${Icon} name="house" size="48px" /><b>${t("answer.stay")}</b></li>
      <li class="todo-routine"><${Icon} name="clock" size="48px" /><b>${t("urgency.routine")}</b></li>
      <li><${Icon} name="rotate-ccw" size="48px" /><b>${t("site.M")}</b></li>
    </ul>
    <section class="card"><h2>${t("answer.advice")}</h2><p class="answer-advice">${t("training.answer.advice")}</p></section>
    <p class="signature"><${Icon} name="graduation-cap" size="32px" /><b>${t("training.answer.who")}</b></p>
  <//>`;
}
