/** The examinations of a visit as tiles, each with its state and what it gave. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { goVisit } from "/kiosk/actions.js";
import { readMeasured } from "/kiosk/measured.js";
import { Button, Chip, Main, Page, Value } from "/kiosk/parts.js";
import { deviceFor, now, THERE, useKiosk } from "/kiosk/store.js";
import { EXAMS, HEART_SITES, LUNG_SITES, recordingsOf, skipOf, vitalOf } from "/kiosk/exams.js";
import { examsOf } from "/kiosk/programmes.js";
import { AskConsent } from "/kiosk/screens/consent.js";
import { AgainBoard } from "/kiosk/screens/again.js";
import { UrgentBoard } from "/kiosk/screens/urgent.js";

/** @typedef {import("/shared/types.js").Visit} Visit */
/** @typedef {import("/kiosk/exams.js").Exam} Exam */
/** @typedef {{ kind: "" | "ok" | "attention" | "bad" | "info", icon: string, word: string, done: boolean }} TileState */

/** @param {Visit} visit @param {Exam} exam @returns {TileState} */
export function tileState(visit, exam) {
  const taken = exam.step ? recordingsOf(visit, exam.step) : [];
  const capture = visit.capture;
  if (capture && capture.step === exam.step) {
    if (capture.state === "recording") return { kind: "info", icon: "circle-dot", word: t("tile.measuring"), done: false };
    return { kind: "attention", icon: "rotate-ccw", word: t("tile.look"), done: false };
  }
  if (taken.some((recording) => recording.accepted_poor)) return { kind: "attention", icon: "triangle-alert", word: t("tile.poor"), done: true };
  if (taken.length >= (exam.parts ?? 1) || vitalOf(visit, exam.vital)) return { kind: "ok", icon: "check", word: t("tile.good"), done: true };
  if (skipOf(visit, exam)) return { kind: "", icon: "skip-forward", word: t("tile.skipped"), done: true };
  if (taken.length) return { kind: "info", icon: "circle-dot", word: t("tile.part"), done: false };
  if (exam.meter) return meterState(exam.meter);
  if (!exam.instrument) return { kind: "", icon: "circle", word: t("tile.type"), done: false };
  return deviceState(exam.instrument);
}

/** @param {string} instrument @returns {TileState} */
function deviceState(instrument) {
  const state = deviceFor(instrument)?.state ?? "absent";
  if (state === "ready") return { kind: "", icon: "circle", word: t("tile.ready"), done: false };
  if (state === "connecting") return { kind: "", icon: "loader", word: t("tile.connecting"), done: false };
  return { kind: "bad", icon: "unplug", word: t("tile.absent"), done: false };
}

/** @param {string} meter @returns {TileState} */
function meterState(meter) {
  const device = deviceFor(meter);
  if (device && now().measured[device.id]) return { kind: "attention", icon: "hand", word: t("tile.take"), done: false };
  if (device && THERE.includes(device.state)) return { kind: "", icon: "circle", word: t("tile.ready"), done: false };
  return { kind: "", icon: "circle", word: t("tile.type"), done: false };
}

/** The board of the visit: its instruments, or what a retake asks for. @param {{ visit: Visit }} props */
export function Tiles({ visit }) {
  const [all, showAll] = useState(false);
  if (visit.path) return html`<${UrgentBoard} visit=${visit} />`;
  if (visit.continues?.message && !all) return html`<${AgainBoard} visit=${visit} more=${() => showAll(true)} />`;
  return html`<${Instruments} visit=${visit} />`;
}

/** @param {{ visit: Visit }} props */
function Instruments({ visit }) {
  useKiosk();
  useEffect(() => {
    readMeasured().catch(() => null);
  }, []);
  const states = EXAMS.map((exam) => ({ exam, state: tileState(visit, exam) }));
  const followed = examsOf(visit);
  const todo = followed.map((key) => states.find(({ exam }) => exam.key === key)).find((one) => one && !one.state.done && one.state.kind !== "bad");
  const next = todo ?? states.find(({ exam, state }) => !followed.length && !state.done && state.kind !== "bad" && exam.instrument && (exam.reasons ?? [visit.reason]).includes(visit.reason)) ?? null;
  const done = states.filter(({ state }) => state.done).length;
  const review = () => goVisit("review");
  return html`<${Page} title=${t("tiles.title")} class="tiles-page" back=${() => goVisit("reason")}
    step=${t("tiles.done", { n: done, of: EXAMS.length })}
    note=${visit.override ? html`<${AskConsent} />` : followed.length > 0 && html`<${Button} go=${() => goVisit("trends")} icon="trending-up" class="button-quiet">${t("trends.title")}<//>`}
    extra=${next && html`<${Button} go=${review} icon="send">${t("tiles.review")}<//>`}
    main=${next
      ? html`<${Main} go=${() => goVisit(next.exam.screen)} icon="arrow-right">${t("tiles.next", { what: t(`exam.${next.exam.key}`) })}<//>`
      : html`<${Main} go=${review} icon="send" why=${done ? "" : t("tiles.why")}>${t("tiles.review")}<//>`}>
    <div class="tiles">${states.map(({ exam, state }) => html`<${Tile} visit=${visit} exam=${exam} state=${state} isNext=${next?.exam === exam} key=${exam.key} />`)}</div>
  <//>`;
}

/** @param {{ visit: Visit, exam: Exam, state: TileState, isNext: boolean }} props */
function Tile({ visit, exam, state, isNext }) {
  return html`<button class=${`tile ${isNext ? "tile-next" : ""} ${state.done ? "tile-done" : ""}`} data-exam=${exam.key} onClick=${() => goVisit(exam.screen)}>
    <span class="tile-top"><${Icon} name=${exam.icon} size="48px" /><${Chip} kind=${state.kind} icon=${state.icon}>${state.word}<//></span>
    <b class="tile-name">${t(`exam.${exam.key}`)}</b>
    <span class="tile-value"><${TileValue} visit=${visit} exam=${exam} /></span>
  </button>`;
}

/** @param {{ visit: Visit, exam: Exam }} props */
function TileValue({ visit, exam }) {
  if (exam.key === "heart_sound") return html`<${Spots} all=${HEART_SITES} done=${recordingsOf(visit, exam.step).map(({ site }) => site)} />`;
  if (exam.key === "lung_sound") return html`<${Count} done=${recordingsOf(visit, exam.step).length} of=${LUNG_SITES.length} />`;
  if (exam.key === "photo") return html`<${Photos} places=${new Set(recordingsOf(visit, "photo").map(({ site }) => site))} />`;
  if (exam.key === "otoscopy") return html`<${Ears} done=${recordingsOf(visit, exam.step).map(({ side }) => side)} />`;
  if (exam.key === "ecg") {
    const rate = recordingsOf(visit, "ecg").at(-1)?.measurements.find(({ kind }) => kind === "heart_rate");
    return rate ? html`<${Value} value=${rate.value} unit=${rate.unit} digits=${0} /> <span class="soft small">${t("draft")}</span>` : html`<span class="soft">${t("exam.ecg.help")}</span>`;
  }
  // A pulse that the cuff counted does not make the oximetry done.
  const values = (vitalOf(visit, exam.vital) ? (exam.vitals ?? []) : []).map((kind) => vitalOf(visit, kind)).filter((vital) => vital !== null);
  if (!values.length) return html`<span class="soft">${t(`exam.${exam.key}.help`)}</span>`;
  if (exam.key === "blood_pressure") return html`<bdi dir="ltr" class="value">${values.map((vital) => vital.value).join("/")} <span class="unit">mmHg</span></bdi>`;
  return values.map((vital) => html`<${Value} value=${vital.value} unit=${vital.unit} /> `);
}

/** Eight points do not fit a tile: how many are done. @param {{ done: number, of: number }} props */
function Count({ done, of }) {
  return done ? html`<bdi dir="ltr" class="value">${done}/${of}</bdi>` : html`<span class="soft">${t("exam.lung_sound.help")}</span>`;
}

/** How many places. @param {{ places: Set<string> }} props */
function Photos({ places }) {
  if (!places.size) return html`<span class="soft">${t("exam.photo.help")}</span>`;
  const [first] = places;
  return places.size > 1 ? html`<bdi dir="ltr" class="value">${places.size}</bdi>` : html`<span>${t(`site.${first}`)}</span>`;
}

/** @param {{ all: string[], done: string[] }} props */
function Spots({ all, done }) {
  return html`<span class="spots" dir="ltr">${all.map((site) => html`<i class=${done.includes(site) ? "spot-done" : ""}>${site}</i>`)}</span>`;
}

/** The patient's right ear stands left, as one sees it. @param {{ done: string[] }} props */
function Ears({ done }) {
  return html`<span class="spots" dir="ltr">${["right", "left"].map((side) => html`<i class=${`spot-ear ${done.includes(side) ? "spot-done" : ""}`}>${t(`side.short.${side}`)}</i>`)}</span>`;
}
