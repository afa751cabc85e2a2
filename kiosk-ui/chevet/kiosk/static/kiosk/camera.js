/** What a camera of the box sees, small and live: to hold a card before it, or to take a photograph. */

import { t } from "/shared/i18n.js";
import { html, useRef } from "/shared/vendor/htm-preact/standalone.module.js";
import { useFrames } from "/kiosk/line.js";
import { deviceFor } from "/kiosk/store.js";

/** The camera there is, ready to look; null where there is none. */
export function camera() {
  const device = deviceFor("otoscope");
  return device?.state === "ready" ? device : null;
}

/** A canvas on which a camera's newest picture is drawn. @param {string} device */
export function useCanvasOf(device) {
  const canvas = /** @type {{ current: HTMLCanvasElement | null }} */ (useRef(null));
  useFrames(device, async (frame) => {
    if (frame.kind !== "picture") return;
    const picture = await createImageBitmap(frame.image).catch(() => null); // a broken frame is passed over
    const target = canvas.current;
    if (!picture || !target) return;
    if (target.width !== picture.width || target.height !== picture.height) Object.assign(target, { width: picture.width, height: picture.height });
    target.getContext("2d")?.drawImage(picture, 0, 0);
    picture.close();
  });
  return canvas;
}

/** @param {{ device: string }} props */
export function Finder({ device }) {
  const canvas = useCanvasOf(device);
  return html`<div class="monitor finder" dir="ltr"><canvas ref=${canvas} role="img" aria-label=${t("signal.picture")}></canvas></div>`;
}
