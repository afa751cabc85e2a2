/** The frame of the kiosk: bar, what is wrong, the screen for the address, the training frame. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect } from "/shared/vendor/htm-preact/standalone.module.js";
import { Bar } from "/kiosk/bar.js";
import { CallScreen } from "/kiosk/call.js";
import { Offer } from "/kiosk/found.js";
import { Blank, useAutoLock } from "/kiosk/lock.js";
import { useRoute } from "/kiosk/route.js";
import { set, useKiosk } from "/kiosk/store.js";
import { TrainingStrip } from "/kiosk/training-strip.js";
import { TouchKeyboard } from "/kiosk/touch-keyboard.js";
import { Ecg } from "/kiosk/coaches/ecg.js";
import { Otoscope } from "/kiosk/coaches/otoscope.js";
import { Oximeter } from "/kiosk/coaches/oximeter.js";
import { Photo } from "/kiosk/coaches/photo.js";
import { Lungs, Stethoscope } from "/kiosk/coaches/stethoscope.js";
import { About } from "/kiosk/screens/about.js";
import { Again } from "/kiosk/screens/again.js";
import { Answer } from "/kiosk/screens/answer.js";
import { CasePage } from "/kiosk/screens/case.js";
import { ConsentPage } from "/kiosk/screens/consent.js";
import { HealthPage } from "/kiosk/screens/health.js";
import { DevicesPage } from "/kiosk/screens/devices.js";
import { Danger } from "/kiosk/screens/danger.js";
import { FollowUp, TrendsPage } from "/kiosk/screens/follow-up.js";
import { History } from "/kiosk/screens/history.js";
import { Onset } from "/kiosk/screens/onset.js";
import { Passphrase } from "/kiosk/screens/passphrase.js";
import { PatientPage } from "/kiosk/screens/patient.js";
import { QueuePage } from "/kiosk/screens/queue.js";
import { Reason } from "/kiosk/screens/reason.js";
import { SheetPage } from "/kiosk/screens/sheet.js";
import { SignIn } from "/kiosk/screens/sign-in.js";
import { Start } from "/kiosk/screens/start.js";
import { Address, Question, Review } from "/kiosk/screens/summary.js";
import { Tiles } from "/kiosk/screens/tiles.js";
import { TrainingPage } from "/kiosk/screens/training.js";
import { UpdatePage } from "/kiosk/screens/update.js";
import { VitalPage } from "/kiosk/screens/vital.js";

const VISIT = /** @type {Record<string, unknown>} */ ({
  consent: ConsentPage, reason: Reason, tiles: Tiles, oximeter: Oximeter, ecg: Ecg, stethoscope: Stethoscope, lungs: Lungs, otoscope: Otoscope, photo: Photo,
  vital: VitalPage, onset: Onset, sheet: SheetPage, history: History, follow_up: FollowUp, trends: TrendsPage, review: Review, question: Question, address: Address,
});

export function App() {
  const { status, language, aboutOpen } = useKiosk();
  const training = Boolean(status?.training);
  const simulated = training || status?.label === "HTEST";
  useAutoLock();
  useEffect(() => {
    document.title = t("app.name");
  }, [language]);
  return html`<div class=${`kiosk ${simulated ? "kiosk-htest" : ""} ${training ? "kiosk-training" : ""}`} key=${language}>
    <${Bar} />
    ${training && html`<${TrainingStrip} />`}
    ${simulated && !training && html`<div class="htest" role="note"><bdi dir="ltr">HTEST</bdi> · ${t("htest")}</div>`}
    <${Alerts} />
    <${CallScreen} />
    <${Screen} />
    <${TouchKeyboard} />
    <${Blank} />
    ${aboutOpen && html`<${About} close=${() => set({ aboutOpen: false })} />`}
  </div>`;
}

/** Troubles of the whole box, above every screen. */
function Alerts() {
  const { trouble, status, connected, worker, ready } = useKiosk();
  return html`<div class="alerts" aria-live="assertive">
    ${status?.disk.level === "full" && html`<${Alert} icon="hard-drive">${t("alert.disk")}<//>`}
    ${ready && worker && !connected && html`<${Alert} icon="unplug">${t("alert.line")}<//>`}
    <${Offer} />
    ${trouble && html`<${Alert} icon="triangle-alert" close=${() => set({ trouble: "" })}>${trouble}<//>`}
  </div>`;
}

/** @param {{ icon: string, close?: () => void, children: import("/kiosk/parts.js").Child }} props */
function Alert({ icon, close, children }) {
  return html`<div class="alert"><${Icon} name=${icon} /><span>${children}</span>
    ${close && html`<button class="alert-close" aria-label=${t("do.close")} onClick=${close}><${Icon} name="x" /></button>`}</div>`;
}

function Screen() {
  const { ready, locked, worker, visit } = useKiosk();
  const [place = "start", which = "", more = ""] = useRoute();
  if (locked) return html`<${Passphrase} />`;
  if (!ready) return html`<main class="page waiting"><${Icon} name="loader" size="48px" /><p>${t("app.waking")}</p></main>`;
  if (!worker) return html`<${SignIn} />`;
  if (place === "visit" && visit?.state === "draft" && VISIT[which]) return html`<${VISIT[which]} key=${which + more} visit=${visit} which=${more} />`;
  if (place === "training") return html`<${TrainingPage} which=${which} />`;
  if (place === "devices") return html`<${DevicesPage} />`;
  if (place === "health") return html`<${HealthPage} />`;
  if (place === "queue") return html`<${QueuePage} />`;
  if (place === "update") return html`<${UpdatePage} />`;
  if (place === "danger") return html`<${Danger} />`;
  if (place === "patient") return html`<${PatientPage} />`;
  if (place === "again") return html`<${Again} id=${which} message=${more} key=${more} />`;
  if (place === "case" && more === "answer") return html`<${Answer} id=${which} key=${which} />`;
  if (place === "case") return html`<${CasePage} id=${which} key=${which} />`;
  return html`<${Start} />`;
}
