/** One recording at one place, from the live signal to "keep" or "again". */

import { get, post } from "/shared/api.js";
import { useEffect, useRef, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { refreshVisit } from "/kiosk/actions.js";
import { attempt } from "/kiosk/attempt.js";
import { deviceFor, now, set, useKiosk } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Capture} Capture */
/** @typedef {import("/shared/types.js").Device} Device */
/** @typedef {import("/shared/types.js").Visit} Visit */
/** @typedef {{ step: string, instrument: string, site?: string, side?: string, seconds: number }} Place */
/** @typedef {"absent" | "live" | "recording" | "done" | "failed"} Phase */

const POLL_MS = 1000; // should the live line be down
const TRIES_BEFORE_POOR = 2;

/** @param {Capture} capture */
function keepCapture(capture) {
  const visit = now().visit;
  if (visit?.id === capture.visit) set({ visit: { ...visit, capture } });
}

/** @param {Visit} visit @param {Place} place */
export function useCapture(visit, { step, instrument, site = "", side = "", seconds }) {
  useKiosk();
  const device = deviceFor(instrument);
  const held = visit.capture;
  const capture = held && held.step === step && held.site === site && held.side === side ? held : null;
  usePolling(capture);
  const [busy, setBusy] = useState(false);
  const once = async (/** @type {() => Promise<void>} */ work) => {
    if (busy) return;
    setBusy(true);
    await attempt(work);
    setBusy(false);
  };
  const start = () =>
    once(async () => {
      const body = { step, site, side, seconds, ...(device ? { device: device.id } : {}) };
      keepCapture(await post(`/api/visits/${visit.id}/captures`, body));
    });
  const tries = visit.tries[`${step}:${site}:${side}`] ?? 0;
  return {
    instrument, device, capture, busy, start,
    phase: phaseOf(device, capture),
    live: device ? (now().quality[device.id] ?? null) : null,
    mayBePoor: tries + 1 >= TRIES_BEFORE_POOR,
    stop: () =>
      once(async () => {
        if (capture) keepCapture(await post(`/api/captures/${capture.id}/stop`));
      }),
    /** @param {boolean} poor @param {number | null} best */
    keep: (poor, best = null) => once(async () => set({ visit: await post(`/api/captures/${capture?.id}/accept`, { poor, best }) })),
    again: () => once(async () => set({ visit: await post(`/api/captures/${capture?.id}/discard`) })),
  };
}

/** @typedef {ReturnType<typeof useCapture>} Taking */

/** @param {Device | null} device @param {Capture | null} capture @returns {Phase} */
function phaseOf(device, capture) {
  if (capture?.state === "recording") return "recording";
  if (capture?.state === "done") return "done";
  if (capture?.state === "failed") return "failed";
  return device?.state === "ready" ? "live" : "absent";
}

/** @param {Capture | null} capture */
function usePolling(capture) {
  const recording = capture?.state === "recording";
  useEffect(() => {
    if (!recording || !capture) return undefined;
    const timer = setInterval(async () => {
      const latest = await get(`/api/captures/${capture.id}`).catch(() => null);
      if (latest) keepCapture(latest);
      else refreshVisit().catch(() => null);
    }, POLL_MS);
    return () => clearInterval(timer);
  }, [capture?.id, recording]);
}

/** Seconds recorded, counted on between two messages of the box. @param {Capture} capture */
export function useElapsed(capture) {
  const start = useRef({ at: 0, elapsed: -1 });
  const [, tick] = useState(0);
  if (start.current.elapsed !== capture.elapsed_s) start.current = { at: performance.now(), elapsed: capture.elapsed_s };
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 200);
    return () => clearInterval(timer);
  }, []);
  return Math.min(capture.seconds, capture.elapsed_s + (performance.now() - start.current.at) / 1000);
}
