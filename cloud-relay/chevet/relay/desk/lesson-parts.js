/** What a lesson shows, on the desk's own instruments: ECG paper, sound player, picture viewer. */

import { bytes } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { readWave } from "/shared/instruments/ecg-paper-wave.js";
import { html, useEffect, useRef, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Drafts } from "/desk/drafts.js";
import { Paper } from "/desk/ecg-one.js";
import { FIRST, Tools } from "/desk/ecg-tools.js";
import { Meanwhile, useLayer } from "/desk/fetched.js";
import { pictureWords, soundWords } from "/desk/instrument-words.js";
import { drawPleth } from "/desk/pleth.js";
import { bestLayer, gradeOf, QualityBadge, word } from "/desk/say.js";
import { useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").OpenLesson} OpenLesson */
/** @typedef {import("/desk/types.js").DeskRecording} DeskRecording */
/** @typedef {{ one: OpenLesson, recording: DeskRecording, here: string }} Props */

const HEARD = ["heart_sound", "lung_sound"];

/** @param {{ one: OpenLesson }} props */
export function LessonParts({ one }) {
  return html`${one.recordings.map((recording) => {
    const here = `/api/teaching/${one.id}/recordings/${recording.id}`;
    const place = recording.side ? t(`ear.${recording.side}`) : recording.site ? [recording.step === "photo" ? "" : recording.site, word("site", recording.site)].filter(Boolean).join(" · ") : "";
    return html`<section class="lesson-part" key=${recording.id}><h2>${[word("step", recording.step), place].filter(Boolean).join(" · ")} <${QualityBadge} score=${recording.quality.score} usable=${recording.quality.usable} /></h2>
      ${recording.channels.length ? html`<${Signal} one=${one} recording=${recording} here=${here} />` : ""}
      ${recording.pictures.length || recording.clip ? html`<${Pictures} one=${one} recording=${recording} here=${here} />` : ""}
      <${Drafts} recording=${recording} /></section>`;
  })}`;
}

/** @param {Props} props */
function Signal(props) {
  if (HEARD.includes(props.recording.step)) return html`<${Sound} ...${props} />`;
  return props.recording.step === "ecg" ? html`<${Ecg} ...${props} />` : html`<${Pulse} ...${props} />`;
}

/** @param {Props} props */
function Ecg({ one, recording, here }) {
  const { language } = useDesk();
  const [view, setView] = useState(FIRST);
  const fetched = useLayer(recording, async (layer) => readWave(await bytes(`${here}/waveform?layer=${layer}`)));
  const change = (/** @type {Partial<typeof FIRST>} */ part) => setView((now) => ({ ...now, ...part }));
  const nearer = (/** @type {string} */ lead) => change({ lead: view.lead ? "" : lead });
  if (fetched.state !== "there" || !fetched.value) return html`<${Meanwhile} fetched=${fetched} recording=${recording} tall />`;
  return html`<${Tools} view=${view} change=${change} wave=${fetched.value} nearer=${nearer} />
    <${Paper} one=${one} wave=${fetched.value} view=${view} nearer=${nearer} language=${language} />
    <p class="soft small">${t("ecg.how")}</p>`;
}

/** @param {Props} props */
function Sound({ one, recording, here }) {
  const { language } = useDesk();
  const player = useRef(/** @type {import("/shared/instruments/sound-player.js").SoundPlayer | null} */ (null));
  const layer = bestLayer(recording);
  const fetched = useLayer(recording, (best) => bytes(`${here}/sound?layer=${best}`));
  useEffect(() => {
    if (player.current) player.current.words = soundWords();
  }, [language, fetched.state]);
  useEffect(() => {
    if (fetched.value) void player.current?.load(fetched.value, layer === "lossless" ? "audio/wav" : "audio/ogg");
  }, [fetched.value]);
  if (fetched.state !== "there") return html`<${Meanwhile} fetched=${fetched} recording=${recording} />`;
  return html`<sound-player ref=${player} point=${`${recording.site} · ${word("site", recording.site)}`} watermark=${one.simulated ? "HTEST" : null}></sound-player>`;
}

/** @param {Props} props */
function Pulse({ recording, here }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const fetched = useLayer(recording, async (layer) => readWave(await bytes(`${here}/waveform?layer=${layer}`)));
  useEffect(() => {
    if (canvas.current && fetched.value) drawPleth(canvas.current, fetched.value);
  }, [fetched.value]);
  if (fetched.state !== "there") return html`<${Meanwhile} fetched=${fetched} recording=${recording} />`;
  return html`<canvas class="pleth" ref=${canvas} role="img" aria-label=${t("vitals.pleth")}></canvas>`;
}

/** @param {Props} props */
function Pictures({ one, recording, here }) {
  const { language } = useDesk();
  const viewer = useRef(/** @type {import("/shared/instruments/picture-viewer.js").PictureViewer | null} */ (null));
  const best = Math.max(0, recording.pictures.findIndex((picture) => picture.best));
  const [shown, setShown] = useState(recording.pictures.length ? best : -1);
  useEffect(() => {
    if (viewer.current) viewer.current.words = pictureWords();
  }, [language]);
  const grade = gradeOf(recording.quality);
  const several = recording.pictures.length + (recording.clip ? 1 : 0) > 1;
  return html`<div class="lesson-picture"><picture-viewer ref=${viewer} src=${here + (shown < 0 ? "/clip" : `/pictures/${shown}`)} side=${recording.side} place=${recording.site ? word("site", recording.site) : null} quality=${grade} quality-label=${t(`quality.${grade}`)} watermark=${one.simulated ? "HTEST" : null}></picture-viewer>
    ${several ? html`<div class="chips" role="group" aria-label=${t("ear.stills")}>${recording.pictures.map((picture, n) => html`<button type="button" class="chip" key=${n} aria-pressed=${n === shown} onClick=${() => setShown(n)}>${n + 1}${picture.best ? ` · ${t("ear.best")}` : ""}</button>`)}
      ${recording.clip ? html`<button type="button" class="chip" aria-pressed=${shown < 0} onClick=${() => setShown(-1)}><${Icon} name="play" />${t("ear.clip")}</button>` : ""}</div>` : ""}</div>`;
}
