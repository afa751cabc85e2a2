/** A clip under the reader's hand: it plays by itself, freezes, and is drawn along picture by picture. */

import { ApiError, get } from "/shared/api.js";
import { number, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { ltr } from "/desk/say.js";

/** Picture numbers from here on are those of the clip (docs/api.md). */
export const CLIP_FROM = 1000;

/** @param {{ here: string, seconds: number, frame: number | null, show: (frame: number | null) => void }} props `frame` null while the film plays */
export function Clip({ here, seconds, frame, show }) {
  const [times, setTimes] = useState(/** @type {number[]} */ ([]));
  const [problem, setProblem] = useState(false);
  const [begun, setBegun] = useState(performance.now());
  useEffect(() => {
    let wanted = true;
    get(`${here}/clip/frames`).then(
      (found) => wanted && setTimes(found.seconds),
      (error) => {
        if (!(error instanceof ApiError)) throw error;
        if (wanted) setProblem(true);
      },
    );
    return () => {
      wanted = false;
    };
  }, [here]);
  useEffect(() => setBegun(performance.now()), [frame === null]);
  if (problem) return html`<p class="soft">${t("ear.no_frames")}</p>`;
  if (!times.length) return html`<p class="soft" role="status">${t("loading")}</p>`;
  const at = frame ?? 0;
  const go = (/** @type {number} */ to) => show(Math.max(0, Math.min(times.length - 1, to)));
  /** About where the film is now: it began when it came onto the screen, and goes round. */
  const freeze = () => {
    const now_s = ((performance.now() - begun) / 1000) % (seconds || 1);
    go(times.filter((time) => time <= now_s).length - 1);
  };
  return html`<div class="clip" dir="ltr">
    <button type="button" class="flip" aria-pressed=${frame !== null} onClick=${() => (frame === null ? freeze() : show(null))}><${Icon} name=${frame === null ? "pause" : "play"} />${t(frame === null ? "ear.freeze" : "ear.play")}</button>
    <button type="button" class="flip" aria-label=${t("ear.frame_back")} onClick=${() => go(at - 1)}><${Icon} name="chevron-left" /></button>
    <input type="range" min="0" max=${times.length - 1} step="1" value=${at} aria-label=${t("ear.scrub")} aria-valuetext=${`${number(times[at], 2)} s`} onInput=${(/** @type {any} */ event) => go(Number(event.target.value))} />
    <button type="button" class="flip" aria-label=${t("ear.frame_on")} onClick=${() => go(at + 1)}><${Icon} name="chevron-right" /></button>
    <span class="soft clip-time">${frame === null ? "" : ltr(`${times[at].toFixed(2)} / ${seconds.toFixed(1)} s`)}</span>
  </div>`;
}
