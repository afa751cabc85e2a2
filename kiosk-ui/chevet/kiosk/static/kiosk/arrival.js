/** Something to read has come: two soft notes, once, and a light in the bar until it is read; on a locked kiosk too, without a name. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useRef } from "/shared/vendor/htm-preact/standalone.module.js";
import { go } from "/kiosk/route.js";
import { now, useKiosk } from "/kiosk/store.js";
import { busy, listening, voiceOn } from "/kiosk/voice.js";

/** Of the two notes: begin in s, pitch in Hz. */
const NOTES = /** @type {const} */ ([[0, 660], [0.28, 880]]);
const LOUD = 0.25;
const WAKES_MS = 1000; // a context of a page that nobody touched may stay suspended

/** @type {AudioContext | null} one for all notes: a browser gives a page few */
let sound = null;

/** A note would be heard by an instrument, or over somebody's words; who switched the voice off wants silence, and a lesson is no place for news. */
function quiet() {
  const { worker, status } = now();
  return Boolean(status?.training) || (worker !== null && !voiceOn(worker.id)) || busy() || listening();
}

export async function chime() {
  if (quiet()) return;
  sound ??= new AudioContext();
  if (sound.state !== "running") await Promise.race([sound.resume(), new Promise((late) => setTimeout(late, WAKES_MS))]);
  if (sound.state === "running" && !quiet()) play(sound); // else the light says it alone: notes kept back would come at a wrong time
}

/** @param {AudioContext} sound */
function play(sound) {
  for (const [begin, pitch] of NOTES) {
    const note = sound.createOscillator();
    const level = sound.createGain();
    const from = sound.currentTime + begin;
    note.frequency.value = pitch;
    level.gain.setValueAtTime(LOUD, from);
    level.gain.exponentialRampToValueAtTime(0.001, from + 0.5);
    note.connect(level).connect(sound.destination);
    note.start(from);
    note.stop(from + 0.5);
  }
}

/** The light in the bar, with how many there are. */
export function ToRead() {
  const { status, worker } = useKiosk();
  const unread = status?.queue.unread ?? 0;
  const before = useRef(/** @type {number | null} */ (null));
  useEffect(() => {
    if (!status) return;
    if (before.current !== null && unread > before.current) chime(); // what was there before the page is no news
    before.current = unread;
  }, [unread, Boolean(status)]);
  if (!unread || status?.training) return null; // a lesson's patients are invented, the answers are not
  return html`<button class="bar-item bar-read" disabled=${!worker} aria-label=${`${unread} · ${t("start.unread", { n: unread })}`} onClick=${() => go("start")}>
    <${Icon} name="mail-open" size="22px" /><bdi>${unread}</bdi></button>`;
}
