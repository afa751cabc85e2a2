/** Both ears side by side as one faces the patient: the right ear on the left, in every language. */

import { t } from "/shared/i18n.js";
import { html, useEffect, useRef, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Meanwhile, NotDone } from "/desk/fetched.js";
import { pictureWords } from "/desk/instrument-words.js";
import { Origin, RecordingHead } from "/desk/recording-head.js";
import { bestLayer } from "/desk/say.js";
import { useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {import("/desk/types.js").DeskRecording} DeskRecording */
/** @typedef {import("/shared/instruments/picture-viewer.js").PictureViewer} PictureViewer */

/** In place of a still's number: the film about the best one, which plays by itself and has one layer only. */
const CLIP = -1;

/** @param {{ one: DeskCase }} props */
export function EarPane({ one }) {
  const looks = one.recordings.filter((recording) => recording.step === "otoscopy");
  if (!looks.length) return html`<${NotDone} icon="med/ear" what=${t("pane.ears")} />`;
  return html`<div class="ears">${["right", "left"].map((side) => html`<${Ear} one=${one} side=${side} key=${side} recording=${looks.filter((look) => look.side === side).at(-1)} />`)}</div>`;
}

/** @param {{ one: DeskCase, side: string, recording: DeskRecording | undefined }} props */
function Ear({ one, side, recording }) {
  if (!recording) return html`<div class="ear"><${NotDone} icon="med/ear" what=${t(`ear.${side}`)} /></div>`;
  return html`<div class="ear"><${Stills} one=${one} recording=${recording} /><${RecordingHead} recording=${recording} /><${Origin} recording=${recording} /></div>`;
}

/** @param {{ one: DeskCase, recording: DeskRecording }} props */
function Stills({ one, recording }) {
  const best = Math.max(0, recording.pictures.findIndex((picture) => picture.best));
  const [index, setIndex] = useState(best);
  const viewer = useRef(/** @type {PictureViewer | null} */ (null));
  const { language } = useDesk();
  const layer = bestLayer(recording);
  useEffect(() => {
    if (viewer.current) viewer.current.words = pictureWords();
  }, [language, layer]);
  if (!layer) {
    return html`<${Meanwhile} fetched=${{ state: "absent", value: null, code: "", again: () => undefined }} recording=${recording} />`;
  }
  const stills = recording.pictures.map((picture, n) => ({ picture, n })).filter(({ n }) => layer !== "preview" || n === best);
  const clip = layer !== "preview" && recording.clip;
  const here = `/api/cases/${one.id}/recordings/${recording.id}`;
  const src = clip && index === CLIP ? `${here}/clip` : `${here}/pictures/${layer === "preview" || index === CLIP ? best : index}?layer=${layer}`;
  const label = clip && index === CLIP ? t("layer.clip", { seconds: clip.seconds.toFixed(0) }) : layer === "preview" ? t("layer.preview_picture") : null;
  return html`
    <picture-viewer ref=${viewer} src=${src} side=${recording.side} layer-label=${label} watermark=${one.simulated ? "HTEST" : null}></picture-viewer>
    ${stills.length > 1 || clip ? html`<div class="chips" role="group" aria-label=${t("ear.stills")}>${stills.map(({ picture, n }) => html`<button type="button" class="chip" key=${n} aria-pressed=${n === index} onClick=${() => setIndex(n)}>${n + 1}${picture.best ? ` · ${t("ear.best")}` : ""}</button>`)}${clip ? html`<button type="button" class="chip" key="clip" aria-pressed=${index === CLIP} onClick=${() => setIndex(CLIP)}>${t("ear.clip")}</button>` : ""}</div>` : ""}`;
}
