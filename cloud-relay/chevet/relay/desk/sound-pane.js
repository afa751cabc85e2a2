/** Heart and lung sounds: choose the point on the body, then listen. */

import { bytes } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { html, useEffect, useRef, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Drafts } from "/desk/drafts.js";
import { Meanwhile, NotDone, useLayer } from "/desk/fetched.js";
import { soundWords } from "/desk/instrument-words.js";
import { Origin, RecordingHead } from "/desk/recording-head.js";
import { bestLayer, word } from "/desk/say.js";
import { useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {import("/desk/types.js").DeskRecording} DeskRecording */
/** @typedef {import("/shared/instruments/sound-player.js").SoundPlayer} SoundPlayer */

/** @param {{ one: DeskCase }} props */
export function SoundPane({ one }) {
  const sounds = one.recordings.filter((recording) => recording.step === "heart_sound" || recording.step === "lung_sound");
  const [chosen, setChosen] = useState("");
  const recording = sounds.find((sound) => sound.id === chosen) ?? sounds[0];
  if (!recording) return html`<${NotDone} icon="med/stethoscope" what=${t("pane.heart")} />`;
  const sites = (/** @type {(sound: DeskRecording) => boolean} */ keep) => sounds.filter((sound) => sound.step === "heart_sound" && keep(sound)).map((sound) => sound.site).join(" ");
  const pick = (/** @type {CustomEvent} */ event) => setChosen(sounds.find((sound) => sound.site === event.detail.site)?.id ?? recording.id);
  return html`<div class="sounds">
    <div class="sounds-where">
      <body-map mode="heart" pickable label=${t("sound.where")} done=${sites((sound) => sound.quality.usable)} poor=${sites((sound) => !sound.quality.usable)} active=${recording.site} onpick=${pick}></body-map>
      <ul class="points">${sounds.map((sound) => html`<li key=${sound.id}><button type="button" class="point" aria-pressed=${sound === recording} onClick=${() => setChosen(sound.id)}><b>${sound.site}</b>${word("site", sound.site)}</button></li>`)}</ul>
    </div>
    <div class="sounds-what"><${Player} one=${one} recording=${recording} key=${recording.id} /></div>
  </div>`;
}

/** @param {{ one: DeskCase, recording: DeskRecording }} props */
function Player({ one, recording }) {
  const player = useRef(/** @type {SoundPlayer | null} */ (null));
  const { language } = useDesk();
  const layer = bestLayer(recording);
  const fetched = useLayer(recording, (best) => bytes(`/api/cases/${one.id}/recordings/${recording.id}/sound?layer=${best}`));
  useEffect(() => {
    if (player.current) player.current.words = soundWords();
  }, [language, fetched.state]);
  useEffect(() => {
    if (fetched.value) void player.current?.load(fetched.value, layer === "lossless" ? "audio/wav" : "audio/ogg");
  }, [fetched.value]);
  const coarse = layer === "preview" ? t("layer.preview_sound") : null;
  return html`
    <${RecordingHead} recording=${recording} />
    ${fetched.state === "there"
      ? html`<sound-player ref=${player} point=${`${recording.site} · ${word("site", recording.site)}`} layer-label=${coarse} watermark=${one.simulated ? "HTEST" : null}></sound-player>`
      : html`<${Meanwhile} fetched=${fetched} recording=${recording} />`}
    <${Drafts} recording=${recording} />
    <${Origin} recording=${recording} />`;
}
