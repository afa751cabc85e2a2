/** ECG on millimetre paper: layout, speed, gain, filter, calipers, and the drafts with it. */

import { bytes } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { readWave } from "/shared/instruments/ecg-paper-wave.js";
import { html, useEffect, useRef, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Drafts } from "/desk/drafts.js";
import { Flip, Meanwhile, NotDone, Pick, useLayer } from "/desk/fetched.js";
import { ecgWords } from "/desk/instrument-words.js";
import { Origin, RecordingHead } from "/desk/recording-head.js";
import { bytesText, ltr } from "/desk/say.js";
import { set, useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {import("/desk/types.js").DeskRecording} DeskRecording */
/** @typedef {import("/shared/instruments/ecg-paper.js").EcgPaper} EcgPaper */

const FIRST = { layout: "3x4", speed: "25", gain: "10", filter: "diagnostic", zoom: "fit" };
/** @typedef {typeof FIRST} View */

/** @param {{ one: DeskCase }} props */
export function EcgPane({ one }) {
  const all = one.recordings.filter((recording) => recording.step === "ecg");
  const [index, setIndex] = useState(0);
  const recording = all[Math.min(index, all.length - 1)];
  if (!recording) return html`<${NotDone} icon="med/heart_cardiogram" what=${t("pane.ecg")} />`;
  return html`
    ${all.length > 1 ? html`<div class="chips">${all.map((other, n) => html`<button type="button" class="chip" aria-pressed=${n === index} onClick=${() => setIndex(n)} key=${other.id}>${t("recording_n", { n: n + 1 })}</button>`)}</div>` : ""}
    <${Sheet} one=${one} recording=${recording} key=${recording.id} />`;
}

/** @param {{ one: DeskCase, recording: DeskRecording }} props */
function Sheet({ one, recording }) {
  const [view, setView] = useState(FIRST);
  const [measuring, setMeasuring] = useState(false);
  const [march, setMarch] = useState(false);
  const fetched = useLayer(recording, async (layer) => readWave(await bytes(`/api/cases/${one.id}/recordings/${recording.id}/waveform?layer=${layer}`)));
  const paper = useRef(/** @type {EcgPaper | null} */ (null));
  const { language } = useDesk();
  useEffect(() => {
    if (!paper.current || !fetched.value) return;
    paper.current.words = ecgWords();
    paper.current.wave = fetched.value;
  }, [fetched.value, language]);
  const change = (/** @type {Partial<View>} */ part) => setView({ ...view, ...part });
  return html`
    <${RecordingHead} recording=${recording} />
    <${Tools} view=${view} change=${change} />
    ${fetched.state === "there"
      ? html`<ecg-paper ref=${paper} layout=${view.layout} speed=${view.speed} gain=${view.gain} filter=${view.filter} zoom=${view.zoom}
          measuring=${measuring || null} march=${march || null} watermark=${one.simulated ? "HTEST" : null}></ecg-paper>`
      : html`<${Meanwhile} fetched=${fetched} recording=${recording} tall />`}
    <div class="under">
      <span class="touch-only"><${Flip} on=${measuring} icon="hand" label=${t("ecg.touch_measure")} flip=${() => setMeasuring(!measuring)} /></span>
      <${Flip} on=${march} icon="skip-forward" label=${t("ecg.march")} flip=${() => setMarch(!march)} />
      <span class="soft">${fetched.value?.layer === "preview" ? t("ecg.calipers_off") : t("ecg.how")}</span>
      <button type="button" class="link" onClick=${() => set({ dialog: "screen" })}>${t("ecg.calibrate")}</button>
      <${CartFile} one=${one} recording=${recording} />
    </div>
    <${Drafts} recording=${recording} />
    <${Origin} recording=${recording} />`;
}

/** @param {{ view: View, change: (part: Partial<View>) => void }} props */
function Tools({ view, change }) {
  return html`<div class="tools">
    <${Pick} label=${t("ecg.layout")} value=${view.layout} choose=${(/** @type {string} */ layout) => change({ layout })}
      options=${[["3x4", ltr("3 × 4 + II")], ["6x2", ltr("6 × 2")], ["12x1", ltr("12 × 1")]]} />
    <${Pick} label=${t("ecg.speed")} value=${view.speed} choose=${(/** @type {string} */ speed) => change({ speed })} options=${["25", "50"].map((code) => [code, ltr(`${code} mm/s`)])} />
    <${Pick} label=${t("ecg.gain")} value=${view.gain} choose=${(/** @type {string} */ gain) => change({ gain })} options=${["5", "10", "20"].map((code) => [code, ltr(`${code} mm/mV`)])} />
    <${Pick} label=${t("ecg.filter")} value=${view.filter} choose=${(/** @type {string} */ filter) => change({ filter })}
      options=${[["diagnostic", ltr("0.05–150 Hz")], ["monitor", `${ltr("0.5–40 Hz")} ${t("ecg.view")}`], ["raw", t("ecg.raw")]]} />
    <${Pick} label=${t("ecg.zoom")} value=${view.zoom} choose=${(/** @type {string} */ zoom) => change({ zoom })} options=${[["fit", t("ecg.fit")], ["true", t("ecg.true")]]} />
  </div>`;
}

/** The file that a cart wrote, to be saved, once all of it is here. @param {{ one: DeskCase, recording: DeskRecording }} props */
function CartFile({ one, recording }) {
  if (!recording.source) return "";
  const { have, total } = recording.layers["3"];
  const size = bytesText(recording.source.bytes);
  if (have < total) return html`<span class="soft">${t("ecg.file_coming", { size })}</span>`;
  return html`<a class="link" download href=${`/api/cases/${one.id}/recordings/${recording.id}/source`}>${t("ecg.file", { size })}</a>`;
}
