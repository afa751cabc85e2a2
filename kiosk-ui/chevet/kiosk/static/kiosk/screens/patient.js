/** Who is examined: found by name or register number, or new; then confirmed by two identifiers. */

import { ApiError, post } from "/shared/api.js";
import { date, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { openVisit } from "/kiosk/actions.js";
import { attempt } from "/kiosk/attempt.js";
import { Button, Empty, Main, Page } from "/kiosk/parts.js";
import { initials } from "/kiosk/people.js";
import { pathOf } from "/kiosk/paths.js";
import { go } from "/kiosk/route.js";
import { boxNow, set, useKiosk } from "/kiosk/store.js";
import { camera } from "/kiosk/camera.js";
import { CardPage, useScanner } from "/kiosk/screens/card.js";
import { CardLook } from "/kiosk/screens/card-look.js";
import { Confirm } from "/kiosk/screens/confirm.js";
import { keptSigns } from "/kiosk/screens/danger.js";
import { takePath } from "/kiosk/screens/urgent.js";
import { NewPatient } from "/kiosk/screens/new-patient.js";

/** @typedef {import("/shared/types.js").Patient} PatientShape */

const PAUSE_MS = 250; // after the last key, before asking

export function PatientPage() {
  const [chosen, choose] = useState(/** @type {PatientShape | null} */ (null));
  const [isNew, setNew] = useState(false);
  const [card, showCard] = useState(false);
  useScanner((patient) => {
    setNew(false);
    showCard(false);
    choose(patient);
  });
  if (chosen && card) return html`<${CardPage} patient=${chosen} back=${() => showCard(false)} />`;
  if (chosen) return html`<${Confirm} patient=${chosen} begin=${() => begin(chosen)} back=${() => choose(null)} card=${() => showCard(true)} />`;
  if (isNew) return html`<${NewPatient} back=${() => setNew(false)} done=${choose} />`;
  return html`<${Search} choose=${choose} add=${() => setNew(true)} />`;
}

/** Nobody knows the name and there is no time: the box gives one that tells this person from others. */
function Unknown() {
  const [busy, setBusy] = useState(false);
  const start = async () => {
    setBusy(true);
    const at = date(boxNow(), { day: "2-digit", month: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false });
    await attempt(async () => {
      const patient = await post("/api/patients", { name: t("patient.unknown.name", { at }), birth_year: null, sex: "", local_number: "" });
      await begin(patient);
    });
    setBusy(false);
  };
  return html`<${Button} go=${start} icon="timer" class="button-bad">${busy ? t("app.loading") : t("patient.unknown")}<//>`;
}

/** @param {{ choose: (patient: PatientShape) => void, add: () => void }} props */
function Search({ choose, add }) {
  const [text, setText] = useState("");
  const [looking, lookAt] = useState("");
  useKiosk();
  const eye = camera();
  const [found, setFound] = useState(/** @type {PatientShape[] | null} */ (null));
  useEffect(() => {
    const timer = setTimeout(async () => {
      const answer = await attempt(() => post("/api/patients/search", { text }));
      if (answer) setFound(answer.patients);
    }, text ? PAUSE_MS : 0);
    return () => clearTimeout(timer);
  }, [text]);
  return html`<${Page} title=${t("patient.title")} note=${html`<span class="soft small scan-note"><${Icon} name="qr-code" size="24px" /> ${t("card.scan")}</span>`} back=${() => go("danger")}
    extra=${html`${pathOf(keptSigns()) && html`<${Unknown} />`}${eye && html`<${Button} go=${() => lookAt(eye.id)} icon="camera" class="button-quiet button-look"><span>${t("card.look")}</span><//>`}`}
    main=${html`<${Main} go=${add} icon="user-plus">${t("patient.new")}<//>`}>
    ${looking && html`<${CardLook} device=${looking} found=${choose} close=${() => lookAt("")} />`}
    <label class="search"><${Icon} name="search" /><span class="visually-hidden">${t("patient.search")}</span>
      <input type="search" autocomplete="off" spellcheck=${false} placeholder=${t("patient.search")} value=${text}
        onInput=${(/** @type {InputEvent & { target: HTMLInputElement }} */ event) => setText(event.target.value)} /></label>
    <div class="patient-list">
      ${found?.map((patient) => html`<${Row} patient=${patient} choose=${choose} key=${patient.id} />`)}
      ${found && !found.length && html`<${Empty} icon="search" title=${text ? t("patient.none", { text }) : t("patient.empty")}>${t("patient.none.help")}<//>`}
    </div>
  <//>`;
}

/** @param {{ patient: PatientShape, choose: (patient: PatientShape) => void }} props */
function Row({ patient, choose }) {
  return html`<button class="case-row" onClick=${() => choose(patient)}>
    <span class="case-face"><bdi>${initials(patient.name)}</bdi></span>
    <span class="case-what"><b><bdi>${patient.name}</bdi></b>
      <span class="soft">${patient.sex && t(`sex.${patient.sex}`)} ${patient.birth_year !== null && html`· ${t("patient.born", { year: String(patient.birth_year) })}`}</span></span>
    ${patient.local_number && html`<bdi dir="ltr" class="soft">${patient.local_number}</bdi>`}
    <${Icon} name="chevron-right" />
  </button>`;
}

/** @param {PatientShape} patient */
async function begin(patient) {
  try {
    await openVisit(patient.id, keptSigns());
    const path = pathOf(keptSigns());
    if (path) await takePath(path);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "visit_open") throw error;
    set({ trouble: error.sentence });
    go("start");
    return;
  }
  sessionStorage.removeItem("chevet.red_flags");
}
