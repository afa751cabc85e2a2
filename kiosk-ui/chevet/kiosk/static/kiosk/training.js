/**
 * Training: which lesson is open and how far it is. The box decides what counts; this page shows it, and while a lesson is open
 * a yellow strip stands above every screen.
 */

import { get, post } from "/shared/api.js";
import { stateOf } from "/shared/state.js";
import { t } from "/shared/i18n.js";
import { attempt } from "/kiosk/attempt.js";
import { go } from "/kiosk/route.js";
import { now as kiosk, set as setKiosk } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").TrainingStep} TrainingStep */
/** @typedef {import("/shared/types.js").TrainingAttempt} TrainingAttempt */
/** @typedef {import("/shared/types.js").TrainingLesson} TrainingLesson */
/** @typedef {import("/shared/types.js").Course} Course */

/** @type {{ course: Course | null, result: TrainingAttempt | null, answered: string }} */
const FIRST = { course: null, result: null, answered: "" };
export const { now, set, use: useTraining } = stateOf(FIRST);
export const PASS_AT = 80; // as the box scores

/** What is open now, with its lesson. @param {Course | null} course */
export function openLesson(course) {
  const one = course?.open ?? null;
  const lesson = course?.lessons.find(({ code }) => code === one?.lesson) ?? null;
  return one && lesson ? { one, lesson } : null;
}

export async function readCourse() {
  const course = await get("/api/training");
  set({ course });
  return course;
}

async function readStatus() {
  setKiosk({ status: await get("/api/status") });
}

/** Begin a lesson and go where it begins. @param {TrainingLesson} lesson */
export function beginLesson(lesson) {
  return attempt(async () => {
    set({ answered: "", result: null });
    sessionStorage.removeItem("chevet.red_flags");
    await post("/api/training", { lesson: lesson.code });
    await Promise.all([readStatus(), readCourse()]);
    if (lesson.begins === "tiles") await layReady();
    else go(lesson.begins === "retake" ? "training/answer" : "start");
  });
}

/** The visit that a lesson works with, its first steps done. */
export async function layReady() {
  const visit = await post("/api/training/visit", {});
  setKiosk({ visit, measured: {} });
  go("visit/tiles");
}

/** @param {string} name */
export function mark(name) {
  return attempt(async () => {
    const open = await post("/api/training/marks", { mark: name });
    const course = now().course;
    if (course) set({ course: { ...course, open } });
  });
}

export function finishLesson() {
  return attempt(async () => {
    const result = await post("/api/training/finish", {});
    set({ result, answered: "" });
    setKiosk({ visit: null });
    await Promise.all([readStatus(), readCourse()]);
    go("training/result");
  });
}

export function stopLesson() {
  return attempt(async () => {
    await post("/api/training/stop", {});
    setKiosk({ visit: null });
    await Promise.all([readStatus(), readCourse()]);
    go("start");
  });
}

/** What a step says, in the page's words. @param {TrainingStep} step */
export function stepText({ check, arg }) {
  return t(`training.check.${check}`, { what: whatOf(check, arg) });
}

/** @param {string} check @param {string} arg */
function whatOf(check, arg) {
  if (check === "typed") return t(`vital.${arg.split("=")[0]}`);
  if (arg === "answer_first") return t("training.what.answer");
  const [step = ""] = arg.split(":");
  if (!["recorded", "usable", "clean", "in_order", "noticed"].includes(check)) return "";
  return step ? t(`step.${step}`) : t("training.what.all");
}

/** The box is in training. */
export function inTraining() {
  return Boolean(kiosk().status?.training);
}
