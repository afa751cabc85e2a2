/** Something to read has come: two soft notes, once, and a light in the bar until it is read; on a locked kiosk too, without a name. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useRef } from "/shared/vendor/htm-preact/standalone.module.js";
import { go } from "/kiosk/route.js";
import { now, useKiosk } from "/kiosk/store.js";
import { voiceOn } from "/kiosk/voice.js";

/** Of the two notes: begin in s, pitch in Hz. */
const NOTES = /** @type {const} */ ([[0, 660], [0.28, 880]]);
const LOUD = 0.25;

/** A note would be heard by an instrument that records, or over somebody's words; and who switched the voice off wants silence. */
function quiet() {
  const { worker, visit, call } = now();
  const off = worker !== null && !voiceOn(worker.id);
  return off || visit?.capture?.state === "recording" || ["ringing", "talking"].includes(call?.state ?? "");
}

export function chime() {
  if (quiet()) return;
  const sound = new AudioContext();
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
    note.onended = () => begin > 0 && sound.close();
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
  if (!unread) return null;
  return html`<button class="bar-item bar-read" disabled=${!worker} aria-label=${`${unread} · ${t("start.unread", { n: unread })}`} onClick=${() => go("start")}>
    <${Icon} name="mail-open" size="22px" /><bdi>${unread}</bdi></button>`;
}
