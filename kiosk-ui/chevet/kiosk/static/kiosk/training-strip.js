/** Above every screen while a lesson is open: that it is training, how far it is, the task, the way to its end. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Button, Dialog } from "/kiosk/parts.js";
import { go } from "/kiosk/route.js";
import { useKiosk } from "/kiosk/store.js";
import { inTraining, mark, openLesson, readCourse, stepText, stopLesson, useTraining } from "/kiosk/training.js";
import { HandsButton } from "/kiosk/training-hands.js";
import { Situation } from "/kiosk/screens/training-lesson.js";

/** @typedef {import("/shared/types.js").TrainingAttempt} TrainingAttempt */

const LOOK_EVERY_MS = 3000;

/** Ask the box now and then how far the lesson is. @param {boolean} on */
function useLooking(on) {
  useEffect(() => {
    if (!on) return undefined;
    readCourse().catch(() => null);
    const timer = setInterval(() => readCourse().catch(() => null), LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [on]);
}

export function TrainingStrip() {
  const { worker } = useKiosk();
  const { course } = useTraining();
  const [asked, ask] = useState(false);
  useLooking(Boolean(worker));
  const open = openLesson(course);
  return html`<div class="htest training-strip" role="note">
    <b class="training-word"><${Icon} name="graduation-cap" size="22px" />${t("training.label")}</b>
    <span class="training-what"><bdi dir="ltr">HTEST</bdi> · ${t("training.not_real")}${open && worker && html` · <b>${t(`training.lesson.${open.lesson.code}`)}</b>`}</span>
    ${worker && open && html`<${Dots} one=${open.one} /><${HandsButton} acts=${open.lesson.hands} />
      <button class="training-button" onClick=${() => ask(true)}><${Icon} name="info" size="20px" />${t("training.task")}</button>
      <button class="training-button training-end" onClick=${() => go("training/finish")}><${Icon} name="check" size="20px" />${t("training.finish")}</button>`}
    ${worker && !open && html`<button class="training-button" onClick=${stopLesson}><${Icon} name="x" size="20px" />${t("training.stop")}</button>`}
    ${asked && open && html`<${Dialog} title=${t(`training.lesson.${open.lesson.code}`)} close=${() => ask(false)} class="training-dialog">
      <${Situation} lesson=${open.lesson} />
      <h3>${t("training.seen")}</h3>
      <${StepList} steps=${open.one.steps.filter(({ check }) => check !== "in_time")} />
      <div class="dialog-foot"><${StopButton} close=${() => ask(false)} /><${Button} go=${() => ask(false)} icon="arrow-right" class="button-main">${t("training.goon")}<//></div>
    <//>`}
  </div>`;
}

/** @param {{ close: () => void }} props */
function StopButton({ close }) {
  const stop = () => {
    close();
    stopLesson();
  };
  return html`<span class="training-stop"><span class="soft small">${t("training.stop.help")}</span><${Button} go=${stop} icon="x" class="button-quiet">${t("training.stop")}<//></span>`;
}

/** One dot a step, filled when the box has seen it. @param {{ one: TrainingAttempt }} props */
function Dots({ one }) {
  const steps = one.steps.filter(({ check }) => check !== "in_time");
  const seen = steps.filter(({ value }) => value >= 1).length;
  return html`<span class="training-dots" role="img" aria-label=${t("training.course", { done: seen, of: steps.length })}>
    ${steps.map(({ value }) => html`<i class=${value >= 1 ? "dot-full" : ""}></i>`)}</span>`;
}

/** @param {{ steps: import("/shared/types.js").TrainingStep[] }} props */
export function StepList({ steps }) {
  return html`<ul class="training-steps">${steps.map((step) => html`<li class=${step.value >= 1 ? "step-done" : ""} key=${step.check + step.arg}>
    <${Icon} name=${step.value >= 1 ? "circle-check" : "circle"} size="24px" /><span>${stepText(step)}</span>
    ${step.value > 0 && step.value < 1 && html`<bdi dir="ltr" class="soft small">${Math.round(step.value * 100)} %</bdi>`}</li>`)}</ul>`;
}

/** On the page that says whom to call: in a lesson the call is an exercise, and the box takes note of it. @param {{ signs: string[] }} props */
export function CalledButton({ signs }) {
  useKiosk();
  const [done, say] = useState(false);
  if (!inTraining()) return null;
  const called = () => {
    mark(`called:${[...signs].sort().join(",")}`);
    say(true);
  };
  return html`<${Button} go=${called} icon=${done ? "check" : "phone"} class="button-training">${done ? t("training.called.done") : t("training.called")}<//>`;
}
