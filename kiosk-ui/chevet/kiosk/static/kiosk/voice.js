/**
 * The voice: says the step and the coach's hint that stand on the screen, once, when they come. It speaks only texts
 * that it has word for word, so what is heard is what can be read. It is silent while something is recorded and over any
 * other sound, and stops at the first touch. Each worker switches it off or on for themselves.
 */

import { language, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { route } from "/kiosk/route.js";
import { now, set, useKiosk } from "/kiosk/store.js";

/** @typedef {{ file: string, state: "placeholder" | "recorded" | "to be recorded" }} Prompt */
/** @typedef {{ prompts: Record<string, Record<string, Prompt>> }} Manifest */

const ROOM = "/kiosk/voice";
const HINT_STANDS_MS = 1500; // a hint that comes and goes is not worth a word
const HINT_AGAIN_MS = 20_000;
/** Where a loudspeaker would be heard by the instrument: hints are read there, not said. */
const LISTENING = ["stethoscope", "lungs"];

/** @type {Promise<Manifest> | null} */
let manifest = null;
/** @type {HTMLAudioElement | null} */
let sound = null;
/** Counts what was asked of the voice, so that a prompt found too late is not said. */
let turn = 0;
/** The step said last: its result is another page with the same heading, and needs no second word. */
let saidStep = "";
/** @type {Map<string, number>} when a hint was last said, ms */
const said = new Map();

/** What the worker chose; a voice that nobody switched off speaks. @param {string | undefined} worker id */
export function voiceOn(worker) {
  return Boolean(worker) && localStorage.getItem(`chevet.voice.${worker}`) !== "off";
}

/** @param {string} worker id @param {boolean} on */
function remember(worker, on) {
  localStorage.setItem(`chevet.voice.${worker}`, on ? "on" : "off");
}

/** Be silent, now. */
export function hush() {
  turn += 1;
  sound?.pause();
}

/** @returns {Promise<Manifest>} asked again after a failure: the box may have been away */
function read() {
  manifest ??= fetch(`${ROOM}/manifest.json`).then((answer) => answer.json()).catch(() => {
    manifest = null;
    return { prompts: {} };
  });
  return manifest;
}

/** The prompt that speaks exactly this text in the language of the page. @param {string} text @returns {Promise<Prompt | null>} */
async function find(text) {
  const prompts = (await read()).prompts[language()] ?? {};
  const key = Object.keys(prompts).find((one) => t(one) === text);
  return key ? (prompts[key] ?? null) : null;
}

/** Another sound, such as a heart that is listened to again or a specialist on the line, goes first. */
export function busy() {
  const playing = [...document.querySelectorAll("audio, video")].some((one) => one instanceof HTMLMediaElement && !one.paused && !one.muted);
  const talked = ["ringing", "talking"].includes(now().call?.state ?? "");
  return playing || talked || now().visit?.capture?.state === "recording";
}

/** An instrument on the page hears the room. */
export function listening() {
  return LISTENING.includes(route()[1] ?? "");
}

/** @param {string} text that stands on the screen */
export async function say(text) {
  hush();
  const mine = turn;
  const prompt = await find(text);
  if (mine !== turn || !prompt || prompt.state === "to be recorded" || busy()) return;
  sound ??= new Audio();
  sound.src = `${ROOM}/${prompt.file}`;
  sound.play().catch(() => null); // before the first touch a browser keeps silent: no trouble
}

/** Touch, key or another sound: the voice gives way. */
function giveWay() {
  const other = (/** @type {Event} */ event) => event.target !== sound && hush();
  const heard = /** @type {[string, (event: Event) => void][]} */ ([["pointerdown", hush], ["keydown", hush], ["play", other]]);
  for (const [name, listener] of heard) document.addEventListener(name, listener, true);
  return () => {
    for (const [name, listener] of heard) document.removeEventListener(name, listener, true);
    hush();
  };
}

/**
 * Say a screen's step when it comes; tells whether and how it can be heard again.
 * @param {unknown[]} texts of the screen, the first that has a prompt is said
 * @returns {{ text: string, silent: boolean }} the text that can be said again or "", and whether a person has still to record it
 */
function useStep(texts) {
  const { worker } = useKiosk();
  const [found, show] = useState({ text: "", silent: false });
  const words = texts.filter((text) => typeof text === "string").join("\n");
  useEffect(() => {
    let here = true;
    const look = async () => {
      const prompts = await Promise.all(words.split("\n").map(async (text) => ({ text, prompt: await find(text) })));
      const first = prompts.find(({ prompt }) => prompt);
      if (!here) return;
      show({ text: first?.text ?? "", silent: first?.prompt?.state === "to be recorded" });
      const step = `${location.hash} ${first?.text}`;
      if (first && step !== saidStep && voiceOn(now().worker?.id)) say(first.text);
      saidStep = step;
    };
    look();
    return () => {
      here = false;
      hush();
    };
  }, [words, worker?.id]);
  return found;
}

/** Beside the heading: hear the step again. @param {{ texts: unknown[] }} props */
export function SayStep({ texts }) {
  const { worker, voice } = useKiosk();
  const { text, silent } = useStep(texts);
  if (!text || !voice || !worker) return null;
  if (silent) return html`<span class="voice-none" role="img" aria-label=${t("voice.none")}><${Icon} name="volume-x" size="24px" /></span>`;
  return html`<button class="voice-again" aria-label=${t("voice.again")} onClick=${() => say(text)}><${Icon} name="volume-2" size="24px" /></button>`;
}

/** Beside a choice of several: hear what this one means; without a voice of its own nothing. @param {{ text: string, label: string }} props */
export function SayThis({ text, label }) {
  const { voice } = useKiosk();
  const [can, show] = useState(false);
  useEffect(() => {
    let here = true;
    find(text).then((prompt) => here && show(Boolean(prompt) && prompt?.state !== "to be recorded"));
    return () => {
      here = false;
    };
  }, [text]);
  if (!can || !voice) return null;
  return html`<button class="voice-again voice-this" aria-label=${label} onClick=${() => say(text)}><${Icon} name="volume-2" size="24px" /></button>`;
}

/** Say a hint that stands for a moment, but not the same one over and over. @param {unknown} text */
export function useHintVoice(text) {
  useEffect(() => {
    if (typeof text !== "string" || listening()) return undefined;
    const timer = setInterval(() => {
      if (sound && !sound.paused) return; // the step is said to its end first
      clearInterval(timer);
      const again = performance.now() - (said.get(text) ?? -HINT_AGAIN_MS) >= HINT_AGAIN_MS;
      if (!again || !voiceOn(now().worker?.id)) return;
      said.set(text, performance.now());
      say(text);
    }, HINT_STANDS_MS);
    return () => clearInterval(timer);
  }, [text]);
}

/** On the bar: the voice of this worker, on or off. */
export function VoiceSwitch() {
  const { worker, voice, visit } = useKiosk();
  const recording = visit?.capture?.state === "recording";
  useEffect(giveWay, []);
  useEffect(() => set({ voice: voiceOn(worker?.id) }), [worker?.id]);
  useEffect(() => {
    if (recording) hush();
  }, [recording]);
  useEffect(() => {
    document.documentElement.classList.toggle("voice-is-text", voice && language() === "zgh");
  });
  if (!worker) return null;
  const turnIt = () => {
    remember(worker.id, !voice);
    set({ voice: !voice });
    hush();
  };
  return html`<button class="bar-button" aria-pressed=${String(voice)} aria-label=${t("voice.on")} onClick=${turnIt}>
    <${Icon} name=${voice ? "volume-2" : "volume-x"} size="22px" /></button>`;
}
