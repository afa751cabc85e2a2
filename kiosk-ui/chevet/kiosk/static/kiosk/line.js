/** The kiosk's end of the live line: texts go into the store, wave frames to whoever draws. */

import { Live } from "/shared/live.js";
import { callTold } from "/kiosk/call-state.js";
import { readMeasured } from "/kiosk/measured.js";
import { inOrder, now, set } from "/kiosk/store.js";
import { noteTold } from "/kiosk/newer.js";
import { useEffect, useRef } from "/shared/vendor/htm-preact/standalone.module.js";

/** @typedef {import("/shared/types.js").LiveText} LiveText */
/** @typedef {import("/shared/types.js").Frame} Frame */

const METERS = ["blood_pressure", "thermometer", "scale", "glucose"];
const TOGETHER_MS = 300; // the numbers of one measurement come one after the other
let measuring = 0;

const live = new Live();
live.states.add((connected) => set({ connected }));
live.texts.add((message) => received(message));

export function connect() {
  live.open();
}

export function disconnect() {
  live.close();
}

/** @param {LiveText} message */
function received(message) {
  if (message.type === "device") set({ devices: { ...now().devices, [message.device.id]: message.device } });
  if (message.type === "found") {
    noteTold("found", message.found.id);
    set({ found: { ...now().found, [message.found.id]: message.found } });
  }
  if (message.type === "gone") {
    noteTold("found", message.found);
    set({ found: without(now().found, message.found) });
  }
  if (message.type === "forgotten") set({ devices: without(now().devices, message.device) });
  if (message.type === "quality") {
    set({ quality: { ...now().quality, [message.device]: { quality: message.quality, heartRate: message.heart_rate } } });
  }
  if (message.type === "reading") takeReadings(message);
  if (message.type === "notice") takeNotice(message);
  if (message.type === "status") set({ status: message.status, clockOffset: message.status.clock.now_ms - Date.now() });
  if (message.type === "call") callTold(message.call);
  if (message.type === "case") {
    noteTold("cases", message.case.id);
    set({ cases: inOrder([message.case, ...now().cases.filter((known) => known.id !== message.case.id)]) });
  }
  const visit = now().visit;
  if (message.type === "capture" && visit?.id === message.capture.visit && visit.capture?.id === message.capture.id) {
    set({ visit: { ...visit, capture: message.capture } });
  }
}

/** @param {Extract<LiveText, { type: "reading" }>} message */
function takeReadings({ device, readings }) {
  const latest = { ...now().readings[device] };
  for (const reading of readings) latest[reading.kind] = reading;
  set({ readings: { ...now().readings, [device]: latest } });
  if (METERS.includes(now().devices[device]?.instrument ?? "")) {
    clearTimeout(measuring);
    measuring = window.setTimeout(() => readMeasured().catch(() => null), TOGETHER_MS);
  }
}

/** @template T @param {Record<string, T>} known @param {string} key @returns {Record<string, T>} */
function without(known, key) {
  return Object.fromEntries(Object.entries(known).filter(([one]) => one !== key));
}

/** @param {Extract<LiveText, { type: "notice" }>} message */
function takeNotice({ device, code, on, detail }) {
  set({ notices: { ...now().notices, [device]: { ...now().notices[device], [`${code}:${detail}`]: on } } });
}

/**
 * Watch one device while a screen is open.
 * @param {string} device id or "" for none
 * @param {(frame: Frame) => void} draw called for each frame of that device
 */
export function useFrames(device, draw) {
  const latest = useRef(draw);
  latest.current = draw;
  useEffect(() => {
    const listen = (/** @type {Frame} */ frame) => {
      if (frame.header.device === device) latest.current(frame);
    };
    live.frames.add(listen);
    live.watch(device ? [device] : []);
    return () => {
      live.frames.delete(listen);
      live.watch([]);
    };
  }, [device]);
}
