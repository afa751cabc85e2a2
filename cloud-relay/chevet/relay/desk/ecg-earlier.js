/** An earlier ECG of the same patient under the present one: the same layout, speed, gain, filter and size. */

import { bytes } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { readWave } from "/shared/instruments/ecg-paper-wave.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { Drafts } from "/desk/drafts.js";
import { Earlier } from "/desk/earlier.js";
import { Paper } from "/desk/ecg-one.js";
import { Meanwhile, useLayer } from "/desk/fetched.js";
import { useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").EarlierVisit} EarlierVisit */
/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {import("/desk/types.js").DeskRecording} DeskRecording */
/** @typedef {import("/desk/ecg-tools.js").View} View */

/** @param {EarlierVisit} visit */
const ecgOf = (visit) => visit.recordings.find((recording) => recording.step === "ecg");

/** @param {{ one: DeskCase, view: View }} props */
export function EarlierEcg({ one, view }) {
  return html`<${Earlier} one=${one} has=${(/** @type {EarlierVisit} */ visit) => ecgOf(visit) !== undefined} none=${t("earlier.no_ecg")}>${(/** @type {EarlierVisit} */ visit) => html`<${Past} visit=${visit} recording=${ecgOf(visit)} view=${view} key=${visit.id} />`}<//>`;
}

/** @param {{ visit: EarlierVisit, recording: DeskRecording, view: View }} props */
function Past({ visit, recording, view }) {
  const { language } = useDesk();
  const fetched = useLayer(recording, async (layer) => readWave(await bytes(`/api/cases/${visit.id}/recordings/${recording.id}/waveform?layer=${layer}`)));
  return html`${fetched.state === "there" && fetched.value
    ? html`<${Paper} one=${visit} wave=${fetched.value} view=${view} language=${language} />`
    : html`<${Meanwhile} fetched=${fetched} recording=${recording} />`}
    <${Drafts} recording=${recording} />`;
}
