/** The case on the table: who it is, what is asked, and what was recorded. */

import { clock, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { openCase, readCase, takeOrGive } from "/desk/actions.js";
import { CallStrip } from "/desk/call.js";
import { CaseTools } from "/desk/case-tools.js";
import { EarPane } from "/desk/ear-pane.js";
import { EcgPane } from "/desk/ecg-pane.js";
import { BreakGlass } from "/desk/glass.js";
import { useKept } from "/desk/kept-state.js";
import { LivePane } from "/desk/live-pane.js";
import { NeedsLine, StateOf } from "/desk/offline.js";
import { PhotoPane } from "/desk/photo-pane.js";
import { ageOf, Blank, Failure, hue, UrgencyChip, Value, word } from "/desk/say.js";
import { SoundPane } from "/desk/sound-pane.js";
import { now, set, useDesk } from "/desk/store.js";
import { Talk } from "/desk/talk.js";
import { Thread } from "/desk/thread.js";
import { VitalsPane } from "/desk/vitals-pane.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {import("/desk/types.js").Pane} Pane */

/** @type {Record<Pane, {icon: string, steps: string[], View: (props: {one: DeskCase}) => unknown}>} */
const PANES = {
  ecg: { icon: "med/heart_cardiogram", steps: ["ecg"], View: EcgPane },
  heart: { icon: "med/stethoscope", steps: ["heart_sound", "lung_sound"], View: SoundPane },
  ears: { icon: "med/ear", steps: ["otoscopy"], View: EarPane },
  photos: { icon: "camera", steps: ["photo"], View: PhotoPane },
  vitals: { icon: "med/thermometer_digital", steps: ["oximetry"], View: VitalsPane },
  thread: { icon: "inbox", steps: [], View: Thread },
  talk: { icon: "users", steps: [], View: Talk },
  live: { icon: "eye", steps: [], View: LivePane },
};

/** What is nowhere but at the relay and at the site. */
const LINE_ONLY = ["talk", "live"];

/** @param {DeskCase} one @param {Pane} pane */
function countOf(one, pane) {
  if (pane === "vitals") return one.vitals.length;
  if (pane === "thread") return one.messages.length + one.opinions.length;
  return one.recordings.filter((recording) => PANES[pane].steps.includes(recording.step)).length;
}

/** The pane to open with: the first that has something. @param {DeskCase} one @returns {Pane} */
export function firstPane(one) {
  const panes = /** @type {Pane[]} */ (Object.keys(PANES));
  return panes.find((pane) => countOf(one, pane) > 0) ?? "vitals";
}

export function CaseTable() {
  const { offline } = useKept();
  const { open, openError, route, user } = useDesk();
  if (openError === "not_allowed" && user?.role === "coordinator") return html`<main class="table"><${BreakGlass} id=${route.id} /></main>`;
  if (openError === "not_allowed" && user?.role === "expert") return html`<main class="table"><${ShutCase} /></main>`;
  if (openError) return html`<main class="table"><${Failure} code=${openError} again=${() => readCase(route.id)} /></main>`;
  if (!open) return html`<main class="table" aria-busy="true"><p class="visually-hidden" role="status">${t("loading")}</p><div class="ghost-paper" aria-hidden="true"></div></main>`;
  const pane = route.pane || firstPane(open);
  const { View } = PANES[pane];
  const away = offline && LINE_ONLY.includes(pane);
  return html`<main class=${`table ${hue(open.id)}`}>
    <${StateOf} id=${open.id} />
    <${PatientStrip} one=${open} />
    <${Question} one=${open} />
    ${user?.role === "specialist" ? html`<${CallStrip} one=${open} key=${`call ${open.id}`} />` : ""}
    <${Tabs} one=${open} chosen=${pane} />
    <section class="pane" id="pane" role="tabpanel" aria-labelledby=${`tab-${pane}`}>${away ? html`<${NeedsLine} what=${t("offline.needs_line")} />` : html`<${View} one=${open} key=${open.id} />`}</section>
    <${CaseTools} one=${open} />
    ${user?.role !== "specialist" ? "" : html`<button type="button" class="button button-main to-answer" onClick=${() => document.querySelector(".answer")?.scrollIntoView()}><${Icon} name="send" />${t("answer.title")}</button>`}
  </main>`;
}

/** What a guest sees once the discussion they were invited to is over. */
function ShutCase() {
  return html`<div class="meanwhile"><${Blank} icon="lock" title=${t("talk.shut_case")} text=${t("talk.shut_more")}><a class="button button-main" href="#/talks">${t("talk.agenda")}</a><//></div>`;
}

/** Two identifiers and the case's colour, on every pane. @param {{ one: DeskCase, short?: boolean }} props */
export function PatientStrip({ one, short }) {
  const { patient } = one;
  const years = ageOf(patient, one.received_ms);
  return html`<div class=${`strip ${hue(one.id)}${short ? " strip-short" : ""}`}>
    <b class="strip-name"><bdi>${patient.name}</bdi></b>
    <span>${[patient.sex ? t(`sex.${patient.sex}`) : "", years === null ? "" : t("years", { n: years })].filter(Boolean).join(" · ")}</span>
    ${patient.local_number ? html`<span class="soft">${t("register")} <bdi dir="ltr">${patient.local_number}</bdi></span>` : ""}
    <span class="soft">${one.site.name}</span>
    ${short ? "" : html`<span class="strip-end"><span class="soft small">${t("recorded_at", { time: clock(one.closed.wall_ms) })}</span><${UrgencyChip} urgency=${one.urgency} /></span>`}
  </div>`;
}

/** @param {{ one: DeskCase }} props */
function Question({ one }) {
  return html`<div class="question">
    <a class="back" href="#/" aria-label=${t("back_to_inbox")}><${Icon} name="arrow-left" /></a>
    <div class="question-text"><h1>${word("visit_reason", one.reason)}</h1><p><bdi>${one.question}</bdi></p></div>
    <${Glance} one=${one} />
    <button type="button" class="fold" aria-label=${t("fold")} title=${t("fold")} onClick=${fold}><${Icon} name="chevron-left" /></button>
  </div>`;
}

function fold() {
  set({ wide: !now().wide });
}

/** The vitals at a glance; the pane of vitals has time, device and quality. @param {{ one: DeskCase }} props */
function Glance({ one }) {
  const find = (/** @type {string} */ kind) => one.vitals.find((vital) => vital.kind === kind && vital.value !== null);
  const spo2 = find("spo2");
  const pulse = find("pulse_rate") ?? find("heart_rate");
  const [high, low] = [find("systolic"), find("diastolic")];
  const open = () => openCase(one.id, "vitals");
  return html`<div class="glance">
    ${spo2 ? html`<button type="button" class="chip" onClick=${open}>${t("vital.spo2_short")} <${Value} value=${spo2.value} unit="%" /></button>` : ""}
    ${pulse ? html`<button type="button" class="chip" onClick=${open}>${t("vital.pulse_short")} <${Value} value=${pulse.value} unit="/min" /></button>` : ""}
    ${high && low ? html`<button type="button" class="chip" onClick=${open}>${t("vital.pressure_short")} <bdi class="value" dir="ltr">${high.value}/${low.value}<span class="unit"> mmHg</span></bdi></button>` : ""}
  </div>`;
}

/** @param {{ one: DeskCase, chosen: Pane }} props */
function Tabs({ one, chosen }) {
  const { user } = useDesk();
  // A photograph is taken where the question needs one: no tab waits for it.
  const panes = /** @type {Pane[]} */ (Object.keys(PANES)).filter((pane) => (pane === "live" ? user?.role === "specialist" : pane !== "photos" || countOf(one, pane) > 0));
  /** @param {KeyboardEvent} event */
  function arrows(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const along = document.documentElement.dir === "rtl" ? -step : step;
    const next = panes[(panes.indexOf(chosen) + along + panes.length) % panes.length];
    openCase(one.id, next);
    document.getElementById(`tab-${next}`)?.focus();
  }
  return html`<div class="tabs" role="tablist" aria-label=${t("tabs")} onKeyDown=${arrows}>
    ${panes.map((pane) => html`<button type="button" role="tab" key=${pane} id=${`tab-${pane}`} aria-selected=${pane === chosen} aria-controls="pane" tabindex=${pane === chosen ? 0 : -1}
      onClick=${() => openCase(one.id, pane)}><${Icon} name=${PANES[pane].icon} />${t(`pane.${pane}`)}${pane === "live" || pane === "talk" ? "" : html`<span class="tab-count">${countOf(one, pane)}</span>`}</button>`)}
  </div>`;
}

/** The case is the reader's to answer once claimed. @param {{ one: DeskCase }} props */
export function ClaimButton({ one }) {
  const { user } = useDesk();
  const { offline } = useKept();
  if (offline) return null;
  if (one.claimed_by && one.claimed_by.id === user?.id) {
    return html`<button type="button" class="button button-quiet" onClick=${() => takeOrGive("release")}><${Icon} name="rotate-ccw" />${t("release")}</button>`;
  }
  return html`<button type="button" class="button button-main" onClick=${() => takeOrGive("claim")}><${Icon} name="hand" />${t("claim")}</button>`;
}
