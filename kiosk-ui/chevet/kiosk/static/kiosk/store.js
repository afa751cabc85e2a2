/** What the kiosk knows now. One object, replaced on every change; screens read it through `useKiosk`. */

import { stateOf } from "/shared/state.js";

/** @typedef {import("/shared/types.js").Status} Status */
/** @typedef {import("/shared/types.js").Device} Device */
/** @typedef {import("/shared/types.js").Visit} Visit */
/** @typedef {import("/shared/types.js").Case} Case */
/** @typedef {import("/shared/types.js").Quality} Quality */
/** @typedef {import("/shared/types.js").Reading} Reading */
/** @typedef {import("/shared/types.js").Person} Person */
/** @typedef {import("/shared/types.js").Found} Found */
/** @typedef {import("/shared/types.js").Measured} Measured */

/**
 * @typedef {object} Kiosk
 * @property {boolean} ready first answers have come
 * @property {boolean} locked the box waits for the passphrase of its disk
 * @property {string} language
 * @property {Status | null} status null until the box answered
 * @property {number} clockOffset box clock minus this page's clock, ms
 * @property {Person | null} worker who is signed in
 * @property {boolean} ended a session ended by itself: say so at sign-in
 * @property {boolean} connected the live line is open
 * @property {Record<string, Device>} devices
 * @property {Record<string, { quality: Quality, heartRate: number | null }>} quality latest live verdict by device
 * @property {Record<string, Record<string, Reading>>} readings latest by device and kind
 * @property {Record<string, Record<string, boolean>>} notices by device: "code:detail" that are on
 * @property {Record<string, Found>} found what is on the buses, by its id
 * @property {Record<string, Measured>} measured numbers of meters that wait to be taken into the visit, by device
 * @property {Visit | null} visit the one in hand
 * @property {Case[]} cases
 * @property {string} trouble a sentence to show once, above the screen
 * @property {boolean} aboutOpen
 * @property {boolean} blank everything is hidden until the next touch
 * @property {import("/shared/types.js").Call | null} call a specialist's call, as the box told it last
 * @property {"" | "connecting" | "talking"} callWay how far the voices are; "" until the worker took the call
 * @property {boolean} callMuted
 * @property {boolean} callShows the own picture goes
 * @property {MediaStream | null} callTheirs the other's picture
 * @property {number} callSince ms of this page
 * @property {boolean} voice the worker in hand has prompts spoken
 * @property {Record<string, string>} preferred device the worker chose, by instrument, where several are ready
 */

/** @type {Kiosk} */
const FIRST = {
  ready: false, locked: false, language: "fr", status: null, clockOffset: 0, worker: null, ended: false, connected: false,
  devices: {}, quality: {}, readings: {}, notices: {}, found: {}, measured: {}, visit: null, cases: [], trouble: "", aboutOpen: false, blank: false, voice: false,
  call: null, callWay: "", callMuted: false, callShows: false, callTheirs: null, callSince: 0, preferred: {},
};

export const { now, set, use: useKiosk } = stateOf(FIRST);

/** States in which an instrument can be counted on; a meter waits until somebody measures with it. */
export const THERE = ["ready", "waiting", "connecting"];

/** In a lesson only simulated instruments are used; those kept for lessons are used nowhere else. @param {Device} device */
function serves(device) {
  const status = now().status;
  if (status?.training) return device.simulated;
  return !device.training || status?.label === "HTEST";
}

/** All devices of an instrument, the readiest first. @param {string} instrument */
export function devicesFor(instrument) {
  const order = [...THERE, "failed", "absent"];
  const known = Object.values(now().devices).filter((device) => device.instrument === instrument && serves(device));
  return known.sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
}

/** The device to use for an instrument: the one the worker chose while it is ready, else the readiest. @param {string} instrument */
export function deviceFor(instrument) {
  const known = devicesFor(instrument);
  const chosen = known.find((device) => device.id === now().preferred[instrument] && device.state === "ready");
  return chosen ?? known[0] ?? null;
}

/** The newest first. @param {Case[]} cases */
export function inOrder(cases) {
  return [...cases].sort((a, b) => b.created_ms - a.created_ms);
}

/** Now by the clock of the box, ms. */
export function boxNow() {
  return Date.now() + now().clockOffset;
}
