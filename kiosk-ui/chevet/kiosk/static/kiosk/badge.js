/**
 * A worker's badge: a card or a QR code, read by anything that types like a keyboard. Keys are taken by their place, so that an
 * Arabic or French layout changes nothing. Where a PIN is being typed, a card's digits are told from fingers by their speed.
 */

import { useLayoutEffect, useRef } from "/shared/vendor/htm-preact/standalone.module.js";

const SHORTEST = 8; // as the box asks of a badge
const LONGEST = 64;
const FINGERS_MS = 80; // between two keys; readers take under 20, the fastest typists more than 80
const FORGOTTEN_MS = 3000;
/** What a badge made by the box says (workers.py): a mark and 32 letters that lie on the same keys everywhere. */
const OWN = /TW[B-LN-PRS]{32}$/;

/** @param {boolean} pin a PIN is being typed @param {(text: string) => void} read called with what a reader typed, once it ended with Enter */
export function useBadge(pin, read) {
  const latest = useRef({ pin, read });
  latest.current = { pin, read };
  useLayoutEffect(() => { // a badge may be held up as soon as the screen stands
    let typed = "";
    let slowest = 0;
    let at = 0;
    const key = (/** @type {KeyboardEvent} */ event) => {
      const gap = event.timeStamp - at;
      at = event.timeStamp;
      if (gap > FORGOTTEN_MS || !typed) [typed, slowest] = ["", 0];
      else slowest = Math.max(slowest, gap);
      const letter = /^(?:Key|Digit|Numpad)([A-Z0-9])$/.exec(event.code)?.[1];
      if (letter) typed = (typed + letter).slice(-LONGEST);
      if (event.key !== "Enter") return;
      const other = typed.length >= SHORTEST && (!latest.current.pin || slowest < FINGERS_MS) ? typed : "";
      const text = OWN.exec(typed)?.[0] ?? other;
      typed = "";
      if (!text) return;
      event.preventDefault();
      event.stopImmediatePropagation(); // the keypad would take it for a PIN
      latest.current.read(text);
    };
    addEventListener("keydown", key, true);
    return () => removeEventListener("keydown", key, true);
  }, []);
}
