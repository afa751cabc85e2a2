/** Live and recorded signals on the dark monitor. */

import { bytes } from "/shared/api.js";
import { number } from "/shared/i18n.js";
import { decodeFrame } from "/shared/live.js";
import { html, useEffect, useRef } from "/shared/vendor/htm-preact/standalone.module.js";
import { useFrames } from "/kiosk/line.js";

/** @typedef {import("/shared/instruments/live-wave.js").LiveWave} LiveWave */
/** @typedef {import("/shared/types.js").Frame} Frame */
/** @typedef {{ colour: string, columns?: number, seconds: number, highpass: number, floor: number, label: string }} Look */

/** How each signal is shown. The filter is of the view only and is named on the monitor. */
export const LOOKS = {
  ecg: { colour: "ecg", columns: 2, seconds: 5, highpass: 0.5, floor: 0.8 },
  pleth: { colour: "pleth", seconds: 8, highpass: 0.3, floor: 0.05 },
  sound: { colour: "sound", seconds: 4, highpass: 20, floor: 0.05 },
};

/** @param {{ device: string, look: Look, off?: string[], heard?: (frame: Frame) => void }} props */
export function LiveMonitor({ device, look, off = [], heard }) {
  const wave = /** @type {{ current: LiveWave | null }} */ (useRef(null));
  useFrames(device, (frame) => {
    if (frame.kind === "samples") wave.current?.push(frame);
    heard?.(frame);
  });
  useEffect(() => wave.current?.setOff(off), [off.join()]);
  return html`<div class="monitor"><live-wave ref=${wave} colour=${look.colour} columns=${look.columns ?? 1} seconds=${look.seconds}
    highpass=${look.highpass} floor=${look.floor} aria-label=${look.label}></live-wave>
    <bdi dir="ltr" class="monitor-note">≥ ${number(look.highpass)} Hz</bdi></div>`;
}

/** The whole of a recording, still. @param {{ capture: string, look: Look }} props */
export function StillMonitor({ capture, look }) {
  const wave = /** @type {{ current: LiveWave | null }} */ (useRef(null));
  useEffect(() => {
    let gone = false;
    bytes(`/api/captures/${capture}/waveform`)
      .then(decodeFrame)
      .then((frame) => {
        if (gone || !wave.current || frame?.kind !== "samples") return;
        wave.current.setAttribute("seconds", String(frame.header.count / frame.header.rate_hz));
        wave.current.push(frame);
      })
      .catch(() => null);
    return () => {
      gone = true;
    };
  }, [capture]);
  return html`<div class="monitor"><live-wave still ref=${wave} colour=${look.colour} columns=${look.columns ?? 1} seconds=${look.seconds}
    highpass=${look.highpass} floor=${look.floor} aria-label=${look.label}></live-wave>
    <bdi dir="ltr" class="monitor-note">≥ ${number(look.highpass)} Hz</bdi></div>`;
}
