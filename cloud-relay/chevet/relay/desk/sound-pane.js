/** Heart and lung sounds: choose the point on the body, then listen. */

import { ApiError, bytes } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { readWave } from "/shared/instruments/ecg-paper-wave.js";
import { html, useEffect, useRef, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Drafts } from "/desk/drafts.js";
import { Flip, Meanwhile, NotDone, useLayer } from "/desk/fetched.js";
import { soundWords } from "/desk/instrument-words.js";
import { useMarks } from "/desk/marks.js";
import { usePaneKeys } from "/desk/pane-keys.js";
import { Origin, RecordingHead } from "/desk/recording-head.js";
import { bestLayer, word } from "/desk/say.js";
import { useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {import("/desk/types.js").DeskRecording} DeskRecording */
/** @typedef {import("/desk/types.js").SoundMarks} SoundMarks */
/** @typedef {import("/shared/instruments/ecg-paper-wave.js").Wave} Wave */
/** @typedef {import("/shared/instruments/sound-player.js").SoundPlayer} SoundPlayer */

/** @type {{label: string, wave: Wave}[]} the same array each time, or every drawing would ask for another */
const NO_LANES = [];

/** Which drawing of the body has which points. @type {Record<string, string[]>} */
const MAPS = { heart: ["A", "P", "E", "T", "M"], "lung-front": ["Ar", "Al", "Lr", "Ll"], "lung-back": ["Pl", "Pr", "Bl", "Br"] };

/** @param {{ one: DeskCase }} props */
export function SoundPane({ one }) {
  const sounds = one.recordings.filter((recording) => recording.step === "heart_sound" || recording.step === "lung_sound");
  const [chosen, setChosen] = useState("");
  const recording = sounds.find((sound) => sound.id === chosen) ?? sounds[0];
  usePaneKeys({ n: () => recording && setChosen(sounds[(sounds.indexOf(recording) + 1) % sounds.length].id) });
  if (!recording) return html`<${NotDone} icon="med/stethoscope" what=${t("pane.heart")} />`;
  const sites = (/** @type {(sound: DeskRecording) => boolean} */ keep) => sounds.filter(keep).map((sound) => sound.site).join(" ");
  const maps = Object.entries(MAPS).filter(([, places]) => sounds.some((sound) => places.includes(sound.site))).map(([mode]) => mode);
  const pick = (/** @type {CustomEvent} */ event) => setChosen(sounds.find((sound) => sound.site === event.detail.site)?.id ?? recording.id);
  return html`<div class="sounds">
    <div class="sounds-where">
      ${(maps.length ? maps : ["heart"]).map((mode) => html`<body-map key=${mode} mode=${mode} pickable label=${t("sound.where")} done=${sites((sound) => sound.quality.usable)} poor=${sites((sound) => !sound.quality.usable)} active=${recording.site} onpick=${pick}></body-map>`)}
      <ul class="points">${sounds.map((sound) => html`<li key=${sound.id}><button type="button" class="point" aria-pressed=${sound === recording} onClick=${() => setChosen(sound.id)}><b>${sound.site}</b>${word("site", sound.site)}</button></li>`)}</ul>
    </div>
    <div class="sounds-what"><${Player} one=${one} recording=${recording} key=${recording.id} /></div>
  </div>`;
}

/** What of the drafts is drawn; on from the start, as each says what it is. */
const SHOWN = { states: true, envelope: false, noise: false, without: false };

/** @param {{ one: DeskCase, recording: DeskRecording }} props */
function Player({ one, recording }) {
  const player = useRef(/** @type {SoundPlayer | null} */ (null));
  const [on, setOn] = useState(SHOWN);
  const { language } = useDesk();
  const layer = bestLayer(recording);
  const marks = /** @type {SoundMarks | null} */ (useMarks(one, recording));
  const lanes = useLanes(one, recording);
  const here = `/api/cases/${one.id}/recordings/${recording.id}/sound`;
  const fetched = useLayer(recording, (best) => bytes(`${here}?layer=${best}`));
  const lungs = useWithoutHeart(on.without ? `${here}/without-heart` : "");
  const heard = on.without ? lungs.value : fetched.value;
  useEffect(() => {
    if (player.current) player.current.words = soundWords();
  }, [language, fetched.state]);
  useEffect(() => {
    if (heard) void player.current?.load(heard, on.without || layer === "lossless" ? "audio/wav" : "audio/ogg");
  }, [heard]);
  useEffect(() => {
    if (!player.current) return;
    const { states = null, envelope = null, noise = null } = marks ?? {};
    player.current.overlay = { states: on.states ? states : null, envelope: on.envelope ? envelope : null, noise: on.noise ? noise : null, lanes };
  }, [marks, on, lanes, fetched.state]);
  const flip = (/** @type {keyof typeof SHOWN} */ name) => setOn({ ...on, [name]: !on[name] });
  const told = on.without && lungs.value ? t("sound.without_heart_said") : layer === "preview" ? t("layer.preview_sound") : null;
  return html`
    <${RecordingHead} recording=${recording} />
    ${fetched.state === "there"
      ? html`<sound-player ref=${player} point=${`${recording.site} · ${word("site", recording.site)}`} layer-label=${told} watermark=${one.simulated ? "HTEST" : null}></sound-player>`
      : html`<${Meanwhile} fetched=${fetched} recording=${recording} />`}
    ${marks ? html`<div class="under">
      ${marks.states.length ? html`<${Flip} on=${on.states} icon="eye" label=${t("sound.show_states")} flip=${() => flip("states")} />` : html`<span class="soft">${t("sound.no_states")}</span>`}
      ${marks.envelope ? html`<${Flip} on=${on.envelope} icon="eye" label=${t("sound.show_envelope")} flip=${() => flip("envelope")} />` : ""}
      ${marks.noise ? html`<${Flip} on=${on.noise} icon="eye" label=${t("sound.show_noise")} flip=${() => flip("noise")} />` : ""}
      <${Flip} on=${on.without} icon="med/lungs" label=${t("sound.without_heart")} flip=${() => flip("without")} /></div>
      ${lungs.code ? html`<p class="field-error" role="alert">${t("sound.without_heart_failed")}</p>` : ""}` : ""}
    ${on.envelope && marks?.envelope?.cycle ? html`<${Cycle} cycle=${marks.envelope.cycle} cycles=${marks.envelope.cycles} />` : ""}
    <${Drafts} recording=${recording} />
    <${Origin} recording=${recording} />`;
}

/** The murmur envelope over one heart cycle, the median of all. @param {{ cycle: number[], cycles: number }} props */
function Cycle({ cycle, cycles }) {
  const points = cycle.map((level, at) => `${(at / (cycle.length - 1)) * 300},${78 - level * 70}`).join(" ");
  return html`<figure class="cycle"><svg viewBox="0 0 300 90" role="img" aria-label=${t("sound.cycle", { n: cycles })} dir="ltr"><polyline points=${points} /><text x="2" y="88">S1</text><text x="298" y="88" text-anchor="end">S1</text></svg>
    <figcaption><span class="chip chip-info">${t("draft")}</span> ${t("sound.cycle", { n: cycles })}</figcaption></figure>`;
}

/** Signals that were recorded with the sound, on the same clock. @param {DeskCase} one @param {DeskRecording} recording @returns {{label: string, wave: Wave}[]} */
function useLanes(one, recording) {
  const [lanes, setLanes] = useState(/** @type {{label: string, wave: Wave}[]} */ (NO_LANES));
  const ready = bestLayer(recording) === "lossless";
  const beside = recording.streams?.slice(1) ?? [];
  useEffect(() => {
    if (!ready || !beside.length) return undefined;
    let wanted = true;
    const read = beside.map(async ({ names }, n) => {
      const buffer = await bytes(`/api/cases/${one.id}/recordings/${recording.id}/waveform?layer=lossless&number=${n + 1}`);
      return { label: names[0], wave: readWave(buffer) };
    });
    void Promise.allSettled(read).then((all) => wanted && setLanes(all.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []))));
    return () => {
      wanted = false;
    };
  }, [recording.id, ready, beside.length]);
  return lanes;
}

/** @param {string} path "" while nobody wants it @returns {{value: ArrayBuffer | null, code: string}} */
function useWithoutHeart(path) {
  const [got, setGot] = useState(/** @type {{value: ArrayBuffer | null, code: string}} */ ({ value: null, code: "" }));
  useEffect(() => {
    if (!path || got.value) return;
    bytes(path).then((value) => setGot({ value, code: "" }), (error) => setGot({ value: null, code: error instanceof ApiError ? error.code : "other" }));
  }, [path]);
  return path ? got : { value: null, code: "" };
}
