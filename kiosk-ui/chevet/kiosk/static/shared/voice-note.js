/** A voice note: say it, hear the very sound that will be sent, keep it or not; and one large button to hear one. */

import { ApiError, speak } from "/shared/api.js";
import { number, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useRef, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { LONGEST_S, NoMicrophone, RATE_HZ, VoiceRecorder } from "/shared/voice-recorder.js";

/** @typedef {import("/shared/types.js").SpokenDraft} SpokenDraft */
/** @typedef {import("/shared/types.js").Voice} Voice */

const LOOK_MS = 100;

/** Minutes and seconds, left to right in every language. @param {number} seconds */
export const lasting = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** @param {number} bytes */
const weight = (bytes) => t("spoken.size", { size: number(bytes / 1000, 0) });

/**
 * Say something and keep it until it is sent.
 * @param {{ path: string, voice: SpokenDraft | null, change: (voice: SpokenDraft | null) => void, label?: string, begin?: string }} props
 *   `path` codes speech: POST of samples, answered by what would be sent
 */
export function VoiceField({ path, voice, change, label, begin: invitation }) {
  const [state, setState] = useState(/** @type {"idle" | "asking" | "hearing" | "coding"} */ ("idle"));
  const [problem, setProblem] = useState("");
  const recorder = /** @type {{ current: VoiceRecorder | null }} */ (useRef(null));
  const wanted = useRef(true);
  useEffect(() => () => {
    wanted.current = false; // the microphone never stays open behind a screen that is gone
    recorder.current?.close();
  }, []);

  const begin = async () => {
    setProblem("");
    setState("asking");
    try {
      const begun = await VoiceRecorder.begin();
      if (!wanted.current) return begun.close();
      recorder.current = begun;
      setState("hearing");
    } catch (error) {
      if (!(error instanceof NoMicrophone)) throw error;
      setState("idle");
      setProblem(t(`spoken.${error.trouble}`));
    }
  };
  const cancel = () => {
    recorder.current?.close();
    setState("idle");
  };
  const end = async () => {
    const heard = recorder.current;
    if (!heard) return;
    setState("coding");
    try {
      const speech = await heard.end();
      const ogg = await speak(path, speech.buffer);
      if (wanted.current) change({ ogg, text: await base64(ogg), length_ms: Math.round((speech.length / RATE_HZ) * 1000), bytes: ogg.size });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error.sentence);
    }
    setState("idle");
  };

  return html`<div class="spoken" role="group" aria-label=${label ?? t("spoken.title")}>
    ${state === "hearing" && recorder.current ? html`<${Hearing} recorder=${recorder.current} end=${end} cancel=${cancel} />` : ""}
    ${state === "asking" || state === "coding" ? html`<p class="spoken-wait" role="status"><${Icon} name="loader" />${t(`spoken.${state}`)}</p>` : ""}
    ${state === "idle" && voice ? html`<${Kept} voice=${voice} again=${begin} drop=${() => change(null)} />` : ""}
    ${state === "idle" && !voice ? html`<button type="button" class="button spoken-begin" onClick=${begin}><${Icon} name="mic" />${invitation ?? t("spoken.begin")}</button>` : ""}
    ${problem ? html`<p class="field-error" role="alert"><${Icon} name="circle-alert" />${problem}</p>` : ""}
  </div>`;
}

/** While it is said: how long, how loud; ends by itself after a minute. @param {{ recorder: VoiceRecorder, end: () => void, cancel: () => void }} props */
function Hearing({ recorder, end, cancel }) {
  const [, redraw] = useState(0);
  const stop = /** @type {{ current: HTMLElement | null }} */ (useRef(null));
  useEffect(() => {
    stop.current?.focus(); // the button that began is gone: the keyboard goes on here
    const timer = setInterval(() => {
      redraw((count) => count + 1);
      if (recorder.seconds >= LONGEST_S) end();
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, []);
  const escape = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") cancel();
  };
  return html`<div class="spoken-hearing" onKeyDown=${escape}>
    <span class="spoken-dot" aria-hidden="true"></span><b role="status">${t("spoken.hearing")}</b>
    <bdi dir="ltr" class="spoken-time">${lasting(recorder.seconds)} / ${lasting(LONGEST_S)}</bdi>
    <meter class="spoken-level" min="0" max="1" value=${recorder.level} aria-label=${t("spoken.level")}></meter>
    <button type="button" class="button button-main" ref=${stop} onClick=${end}><${Icon} name="square" />${t("spoken.end")}</button>
    <button type="button" class="button button-quiet" onClick=${cancel}><${Icon} name="x" />${t("spoken.cancel")}</button>
  </div>`;
}

/** @param {{ voice: SpokenDraft, again: () => void, drop: () => void }} props */
function Kept({ voice, again, drop }) {
  const [src, setSrc] = useState("");
  useEffect(() => {
    const url = URL.createObjectURL(voice.ogg);
    setSrc(url);
    return () => URL.revokeObjectURL(url);
  }, [voice.ogg]);
  return html`<div class="spoken-kept">
    <${VoicePlayer} src=${src} length_ms=${voice.length_ms} first />
    <span class="soft small">${t("spoken.travels", { size: weight(voice.bytes) })}</span>
    <button type="button" class="button button-quiet" onClick=${again}><${Icon} name="rotate-ccw" />${t("spoken.again")}</button>
    <button type="button" class="button button-quiet" onClick=${drop}><${Icon} name="x" />${t("spoken.drop")}</button>
  </div>`;
}

/**
 * One large button, with how long it lasts.
 * @param {{ src: string, length_ms: number, first?: boolean, label?: string }} props `first` takes the keyboard when it appears
 */
export function VoicePlayer({ src, length_ms, first, label }) {
  const [at, setAt] = useState(-1);
  const [failed, setFailed] = useState(false);
  const sound = /** @type {{ current: HTMLAudioElement | null }} */ (useRef(null));
  const button = /** @type {{ current: HTMLElement | null }} */ (useRef(null));
  useEffect(() => {
    if (first) button.current?.focus();
  }, []);
  const playing = at >= 0;
  const flip = () => {
    setFailed(false);
    if (playing) sound.current?.pause();
    else sound.current?.play().catch(() => setFailed(true));
  };
  return html`<span class="voice-player">
    <button type="button" class="button voice-play" ref=${button} aria-pressed=${String(playing)} onClick=${flip}>
      <${Icon} name=${playing ? "pause" : "play"} size="1.5em" /><span>${label ?? t("spoken.play")}</span>
      <bdi dir="ltr" class="spoken-time">${playing ? `${lasting(at)} / ` : ""}${lasting(length_ms / 1000)}</bdi></button>
    ${failed ? html`<span class="field-error" role="alert"><${Icon} name="circle-alert" />${t("spoken.unplayable")}</span>` : ""}
    <audio ref=${sound} src=${src || undefined} preload="none" onPlay=${() => setAt(0)} onTimeUpdate=${() => setAt((before) => (before < 0 ? before : (sound.current?.currentTime ?? 0)))}
      onPause=${() => setAt(-1)} onEnded=${() => setAt(-1)} onError=${() => playing && setFailed(true)}></audio>
  </span>`;
}

/** What came beside words: to be heard, still on its way, or not what was signed. @param {{ voice: Voice | null | undefined, path: string, label?: string }} props `path` of the case */
export function VoiceOf({ voice, path, label }) {
  if (!voice) return null;
  if (voice.state === "arriving") {
    return html`<p class="voice-coming" role="status"><${Icon} name="truck" />${t("spoken.arriving", { length: lasting(voice.length_ms / 1000), size: weight(voice.bytes) })}</p>`;
  }
  if (voice.state === "altered") return html`<p class="field-error" role="alert"><${Icon} name="triangle-alert" />${t("spoken.altered")}</p>`;
  return html`<${VoicePlayer} src=${`${path}/voices/${voice.id}`} length_ms=${voice.length_ms} label=${label} key=${voice.id} />`;
}

/** @param {Blob} blob @returns {Promise<string>} */
async function base64(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
