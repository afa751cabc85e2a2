/**
 * The screen left alone, and the screen turned away. A kiosk that nobody touched for five minutes signs out and keeps its place;
 * the blank screen hides everything at a touch, for as long as somebody looks over the shoulder.
 */

import { remove } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useRef } from "/shared/vendor/htm-preact/standalone.module.js";
import { endSession } from "/kiosk/attempt.js";
import { now, set, useKiosk } from "/kiosk/store.js";

export const ALONE_MS = 5 * 60_000;
const LOOK_EVERY_MS = 5000;
const TOUCHES = /** @type {const} */ (["pointerdown", "keydown", "wheel"]);

/** Sign out a screen left alone; never while something is recorded. @returns {void} */
export function useAutoLock() {
  useEffect(() => {
    let touched = Date.now();
    const touch = () => {
      touched = Date.now();
    };
    const look = () => {
      const { worker, visit, call } = now();
      if (visit?.capture?.state === "recording" || call?.state === "talking") touch();
      if (!worker || Date.now() - touched < ALONE_MS) return;
      remove("/api/session").catch(() => null); // the box ends the session by itself too
      endSession();
    };
    const timer = setInterval(look, LOOK_EVERY_MS);
    for (const name of TOUCHES) addEventListener(name, touch);
    return () => {
      clearInterval(timer);
      for (const name of TOUCHES) removeEventListener(name, touch);
    };
  }, []);
}

/** Everything dark until the next touch or key. */
export function Blank() {
  const { blank } = useKiosk();
  const cover = /** @type {{ current: HTMLElement | null }} */ (useRef(null));
  useEffect(() => cover.current?.focus(), [blank]);
  if (!blank) return null;
  const show = () => set({ blank: false });
  return html`<button class="blank" ref=${cover} aria-label=${t("blank.touch")} onClick=${show}><${Icon} name="eye-off" size="40px" /></button>`;
}
