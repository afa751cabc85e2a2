/** What both screens of a call show: how long it lasts, and the other's picture. */

import { t } from "/shared/i18n.js";
import { html, useEffect, useRef, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { lasting } from "/shared/voice-note.js";

/** How long it has lasted. @param {{ from: number }} props in ms of this page */
export function Since({ from }) {
  const [, redraw] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => redraw((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return html`<bdi dir="ltr" class="spoken-time">${lasting((performance.now() - from) / 1000)}</bdi>`;
}

/** @param {{ stream: MediaStream }} props */
export function Theirs({ stream }) {
  const view = /** @type {{ current: HTMLVideoElement | null }} */ (useRef(null));
  useEffect(() => {
    if (view.current) view.current.srcObject = stream;
  }, [stream]);
  return html`<video class="call-picture" ref=${view} autoplay muted playsinline aria-label=${t("call.theirs")}></video>`;
}
