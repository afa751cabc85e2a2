/** ECG on millimetre paper: calipers, draft marks, one lead nearer, an earlier ECG beside it, and the page to print. */

import { bytes } from "/shared/api.js";
import { reasonText, t } from "/shared/i18n.js";
import { readWave } from "/shared/instruments/ecg-paper-wave.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Drafts } from "/desk/drafts.js";
import { EarlierEcg } from "/desk/ecg-earlier.js";
import { Paper } from "/desk/ecg-one.js";
import { QtTool } from "/desk/ecg-qt.js";
import { FIRST, Tools } from "/desk/ecg-tools.js";
import { Flip, Meanwhile, NotDone, useLayer } from "/desk/fetched.js";
import { useMarks } from "/desk/marks.js";
import { usePaneKeys } from "/desk/pane-keys.js";
import { useKept } from "/desk/kept-state.js";
import { Origin, RecordingHead } from "/desk/recording-head.js";
import { bytesText } from "/desk/say.js";
import { set, useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {import("/desk/types.js").DeskRecording} DeskRecording */
/** @typedef {import("/desk/types.js").EcgMarks} EcgMarks */
/** @typedef {import("/desk/ecg-tools.js").View} View */
/** @typedef {import("/shared/instruments/ecg-paper-wave.js").Wave} Wave */

const PAGE_S = 10;
/** What a key turns to, in this order and round. */
const TURNS = { layout: ["3x4", "6x2", "12x1"], order: ["standard", "cabrera"], gain: ["5", "10", "20"], filter: ["diagnostic", "monitor", "raw"] };
/** One lead nearer: twice the usual speed and gain, printed on the page like any other. */
const NEAR = { speed: "50", gain: "20" };

/** The electrode to look at for a lead; limb leads between two of them name none. @param {string} lead */
function electrodeOf(lead) {
  return /^V[1-6]$/.test(lead) ? lead : ({ aVR: "R", aVL: "L", aVF: "F" }[lead] ?? "");
}

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
  const [far, setFar] = useState(/** @type {View | null} */ (null));
  const [on, setOn] = useState({ measuring: false, march: false, marks: false, earlier: false });
  const [caliper, setCaliper] = useState(/** @type {{ms: number} | null} */ (null));
  const { language } = useDesk();
  const { offline } = useKept();
  const fetched = useLayer(recording, async (layer) => readWave(await bytes(`/api/cases/${one.id}/recordings/${recording.id}/waveform?layer=${layer}`)));
  const marks = /** @type {EcgMarks | null} */ (useMarks(one, recording));
  // From what is now, not from what was drawn last: keys come faster than pictures.
  const change = (/** @type {Partial<View>} */ part) => setView((now) => ({ ...now, ...part }));
  const flip = (/** @type {keyof typeof on} */ name) => setOn((now) => ({ ...now, [name]: !now[name] }));
  const nearer = (/** @type {string} */ lead) => {
    if (view.lead || !lead) {
      setView({ ...(far ?? view), lead: "", start: view.start });
      return;
    }
    setFar(view);
    setView({ ...view, ...NEAR, lead });
  };
  const turn = (/** @type {keyof typeof TURNS} */ what) => setView((now) => ({ ...now, [what]: TURNS[what][(TURNS[what].indexOf(now[what]) + 1) % TURNS[what].length] }));
  usePaneKeys({
    l: () => turn("layout"), c: () => turn("order"), g: () => turn("gain"), r: () => turn("filter"), m: () => flip("marks"), x: () => flip("earlier"),
    p: () => whole && !offline && window.open(printed(one, recording, view, language), "_blank", "noopener"),
  });
  const whole = fetched.value && fetched.value.layer !== "preview" ? fetched.value : null;
  return html`
    <${RecordingHead} recording=${recording} />
    <${Swaps} recording=${recording} marks=${marks} />
    <${Tools} view=${view} change=${change} wave=${fetched.value} nearer=${nearer} />
    ${fetched.state === "there" && fetched.value
      ? html`<${Paper} one=${one} wave=${fetched.value} view=${view} on=${on} marks=${on.marks ? marks : null} nearer=${nearer} measured=${setCaliper} language=${language} />`
      : html`<${Meanwhile} fetched=${fetched} recording=${recording} tall />`}
    <div class="under">
      <span class="touch-only"><${Flip} on=${on.measuring} icon="hand" label=${t("ecg.touch_measure")} flip=${() => flip("measuring")} /></span>
      <${Flip} on=${on.march} icon="skip-forward" label=${t("ecg.march")} flip=${() => flip("march")} />
      ${marks?.waves.qrs_on.length ? html`<${Flip} on=${on.marks} icon="eye" label=${t("ecg.marks")} flip=${() => flip("marks")} />` : ""}
      <${Flip} on=${on.earlier} icon="rotate-ccw" label=${t("earlier.beside")} flip=${() => flip("earlier")} />
      ${view.lead ? html`<button type="button" class="flip" onClick=${() => set({ side: "message", retake: { step: "ecg", site: electrodeOf(view.lead), side: "" } })}><${Icon} name="rotate-ccw" />${t("ecg.again", { lead: view.lead })}</button>` : ""}
      <${Pager} view=${view} change=${change} wave=${fetched.value} />
      ${whole && !offline ? html`<a class="flip" target="_blank" rel="noopener" href=${printed(one, recording, view, language)}><${Icon} name="printer" />${t("ecg.print")}</a>` : ""}
    </div>
    <div class="under"><span class="soft">${fetched.value?.layer === "preview" ? t("ecg.calipers_off") : t("ecg.how")}</span>
      <button type="button" class="link" onClick=${() => set({ dialog: "screen" })}>${t("ecg.calibrate")}</button>
      <${CartFile} one=${one} recording=${recording} /></div>
    ${on.earlier ? html`<${EarlierEcg} one=${one} view=${view} />` : ""}
    <${Drafts} recording=${recording} />
    ${whole ? html`<${QtTool} recording=${recording} caliper=${caliper} />` : ""}
    <${Origin} recording=${recording} />`;
}

/** Electrodes that look exchanged on the exact samples, where the box did not already say so. @param {{ recording: DeskRecording, marks: EcgMarks | null }} props */
function Swaps({ recording, marks }) {
  const told = recording.quality.reasons.filter((reason) => reason.startsWith("lead_swap"));
  const news = (marks?.swaps ?? []).map((swap) => `lead_swap:${swap.electrodes.join("/")}`).filter((reason) => !told.includes(reason));
  if (!news.length) return null;
  return html`<p class="note note-attention" role="status"><${Icon} name="triangle-alert" /><span><b class="draft-word">${t("draft")}</b> ${news.map(reasonText).join(" · ")}</span></p>`;
}

/** Pages of a recording longer than the paper. @param {{ view: View, change: (part: Partial<View>) => void, wave: Wave | null }} props */
function Pager({ view, change, wave }) {
  const seconds = wave ? wave.samples / wave.rate_hz : 0;
  if (seconds <= PAGE_S * 1.05) return null;
  const go = (/** @type {number} */ by) => change({ start: Math.max(0, Math.min(Math.floor((seconds - 1) / PAGE_S) * PAGE_S, view.start + by)) });
  return html`<span class="pager" dir="ltr"><button type="button" class="flip" aria-label=${t("ecg.page_back")} disabled=${view.start <= 0} onClick=${() => go(-PAGE_S)}><${Icon} name="chevron-left" /></button>
    <span>${view.start}–${Math.min(seconds, view.start + PAGE_S).toFixed(0)} s</span>
    <button type="button" class="flip" aria-label=${t("ecg.page_on")} disabled=${view.start + PAGE_S >= seconds} onClick=${() => go(PAGE_S)}><${Icon} name="chevron-right" /></button></span>`;
}

/** Where the page to print is, drawn as the screen is. @param {DeskCase} one @param {DeskRecording} recording @param {View} view @param {string} language */
function printed(one, recording, view, language) {
  const { layout, order, speed, gain, filter } = view.lead ? FIRST : view;
  return `/api/cases/${one.id}/recordings/${recording.id}/print?${new URLSearchParams({ layout, order, speed, gain, filter, language })}`;
}

/** The file that a cart wrote, to be saved, once all of it is here. @param {{ one: DeskCase, recording: DeskRecording }} props */
function CartFile({ one, recording }) {
  const { offline } = useKept();
  if (!recording.source || offline) return "";
  const { have, total } = recording.layers["3"];
  const size = bytesText(recording.source.bytes);
  if (have < total) return html`<span class="soft">${t("ecg.file_coming", { size })}</span>`;
  return html`<a class="link" download href=${`/api/cases/${one.id}/recordings/${recording.id}/source`}>${t("ecg.file", { size })}</a>`;
}
