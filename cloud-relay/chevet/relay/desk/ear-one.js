/** One ear, or one photograph of the skin: its stills and its clip, as they came or easier to look at, with arrows and circles. */

import { t } from "/shared/i18n.js";
import { html, useEffect, useRef, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Clip, CLIP_FROM } from "/desk/ear-clip.js";
import { DrawTools, shapesOn } from "/desk/ear-draw.js";
import { Flip, Meanwhile, NotDone } from "/desk/fetched.js";
import { pictureWords } from "/desk/instrument-words.js";
import { Origin, RecordingHead } from "/desk/recording-head.js";
import { usePicture } from "/desk/kept-read.js";
import { bestLayer, gradeOf, word } from "/desk/say.js";
import { useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").DeskRecording} DeskRecording */
/** @typedef {import("/desk/types.js").Drawing} Drawing */
/** @typedef {import("/shared/instruments/picture-viewer.js").PictureViewer} PictureViewer */
/** @typedef {{id: string, simulated: boolean}} Visit */

const ABSENT = { state: "absent", value: null, code: "", again: () => undefined };

/** @param {{ one: Visit, side: string, recording: DeskRecording | undefined, drawings: Drawing[] | null }} props */
export function Ear({ one, side, recording, drawings }) {
  if (!recording) return html`<div class="ear"><${NotDone} icon="med/ear" what=${t(`ear.${side}`)} /></div>`;
  return html`<div class="ear">${bestLayer(recording) ? html`<${Look} one=${one} recording=${recording} drawings=${drawings} />` : html`<${Meanwhile} fetched=${ABSENT} recording=${recording} />`}
    <${RecordingHead} recording=${recording} /><${Origin} recording=${recording} /></div>`;
}

/** What of the recording is on the table: a still, the film that plays by itself, or one of its pictures. @typedef {{still: number} | {film: true} | {frame: number}} Shown */

/** @param {{ one: Visit, recording: DeskRecording, drawings: Drawing[] | null }} props */
export function Look({ one, recording, drawings }) {
  const best = Math.max(0, recording.pictures.findIndex((picture) => picture.best));
  const [shown, setShown] = useState(/** @type {Shown} */ ({ still: best }));
  const [enhanced, setEnhanced] = useState(false);
  const [tool, setTool] = useState("");
  const viewer = useRef(/** @type {PictureViewer | null} */ (null));
  const { language, user } = useDesk();
  const layer = bestLayer(recording);
  const fine = layer !== "preview";
  const number = "frame" in shown ? CLIP_FROM + shown.frame : "still" in shown ? shown.still : -1;
  const shapes = shapesOn(drawings ?? [], recording.id, number, user?.id ?? "");
  useEffect(() => {
    if (viewer.current) viewer.current.words = pictureWords();
  }, [language]);
  useEffect(() => {
    if (viewer.current) viewer.current.shapes = shapes;
  }, [JSON.stringify(shapes)]);
  const here = `/api/cases/${one.id}/recordings/${recording.id}`;
  const stills = recording.pictures.map((picture, n) => ({ picture, n })).filter(({ n }) => fine || n === best);
  const isEnhanced = enhanced && fine && "still" in shown;
  const grade = gradeOf(recording.quality);
  const place = "frame" in shown ? `/clip/frames/${shown.frame}` : "film" in shown ? "/clip" : isEnhanced ? `/pictures/${shown.still}/enhanced` : `/pictures/${fine ? shown.still : best}?layer=${layer}`;
  const src = usePicture(here + place);
  return html`
    <picture-viewer ref=${viewer} src=${src} keep=${"frame" in shown || null} side=${recording.side} place=${recording.site ? word("site", recording.site) : null} quality=${grade} quality-label=${t(`quality.${grade}`)} layer-label=${labelOf(recording, shown, fine, isEnhanced)}
      watermark=${one.simulated ? "HTEST" : null} tool=${number >= 0 && tool ? tool : null} ondrawn=${(/** @type {CustomEvent} */ event) => drawings && DrawTools.add(recording.id, number, shapes, event.detail)}></picture-viewer>
    ${stills.length > 1 || (fine && recording.clip) ? html`<div class="chips" role="group" aria-label=${t("ear.stills")}>
      ${stills.map(({ picture, n }) => html`<button type="button" class="chip" key=${n} aria-pressed=${"still" in shown && n === shown.still} onClick=${() => setShown({ still: n })}>${n + 1}${picture.best ? ` · ${t("ear.best")}` : ""}</button>`)}
      ${fine && recording.clip ? html`<button type="button" class="chip" key="clip" aria-pressed=${!("still" in shown)} onClick=${() => setShown({ film: true })}>${t("ear.clip")}</button>` : ""}</div>` : ""}
    ${fine && recording.clip && !("still" in shown) ? html`<${Clip} here=${here} seconds=${recording.clip.seconds} frame=${"frame" in shown ? shown.frame : null} show=${(/** @type {number | null} */ frame) => setShown(frame === null ? { film: true } : { frame })} />` : ""}
    ${fine ? html`<div class="under">
      ${"still" in shown && recording.step === "otoscopy" ? html`<${Flip} on=${enhanced} icon="eye" label=${t("ear.enhanced")} flip=${() => setEnhanced(!enhanced)} />` : ""}
      ${drawings && number >= 0 ? html`<${DrawTools} tool=${tool} choose=${setTool} recording=${recording.id} number=${number} shapes=${shapes} />` : ""}
    </div>` : ""}`;
}

/** @param {DeskRecording} recording @param {Shown} shown @param {boolean} fine @param {boolean} enhanced */
function labelOf(recording, shown, fine, enhanced) {
  if (!("still" in shown)) return t("layer.clip", { seconds: recording.clip?.seconds.toFixed(0) ?? "" });
  if (!fine) return t("layer.preview_picture");
  return enhanced ? t("ear.enhanced_said") : null;
}
