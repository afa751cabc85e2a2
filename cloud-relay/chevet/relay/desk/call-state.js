/** The call from the open case: rung by the desk, taken by the kiosk's worker; whatever happens to it, the case stays as it is. */

import { CallMedia } from "/shared/call-media.js";
import { stateOf } from "/shared/state.js";
import { NoMicrophone } from "/shared/voice-recorder.js";

/**
 * @typedef {object} DeskCall
 * @property {"idle" | "opening" | "asking" | "ringing" | "connecting" | "talking" | "over"} state
 * @property {string} case
 * @property {string} reason why it is over
 * @property {boolean} held an urgent study travels: the voices wait
 * @property {number | null} rate of the site's line, bytes a second
 * @property {boolean} muted
 * @property {boolean} showing the own picture goes
 * @property {MediaStream | null} theirs the other's picture
 * @property {number} since ms of this page
 */

/** @type {DeskCall} */
const IDLE = { state: "idle", case: "", reason: "", held: false, rate: null, muted: false, showing: false, theirs: null, since: 0 };

export const { now: callNow, set: callSet, use: useCall } = stateOf(IDLE);

/** @type {WebSocket | null} */
let line = null;
/** @type {CallMedia | null} */
let media = null;

/** @param {string} id of the open case */
export function ringAt(id) {
  if (callNow().state !== "idle" && callNow().state !== "over") return;
  callSet({ ...IDLE, state: "opening", case: id });
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/cases/${id}/call`);
  line = socket;
  socket.onmessage = ({ data }) => void heard(socket, JSON.parse(data));
  socket.onclose = () => socket === line && over("away");
}

/** @param {WebSocket} socket @param {any} said */
async function heard(socket, said) {
  if (said.type === "ready") return begin(socket, said.ice);
  const { state } = callNow();
  if (said.type !== "call" || socket !== line || state === "over") return;
  callSet({ held: said.held, rate: said.rate ?? callNow().rate });
  media?.hold(said.held);
  if (said.held && callNow().showing) void showPicture(false);
  if (said.state === "over") return over(said.reason);
  if (said.state === "ringing" && state === "asking") callSet({ state: "ringing" });
  if (said.state === "talking" && (state === "asking" || state === "ringing")) {
    callSet({ state: "connecting", since: performance.now() });
    await media?.take(said.sdp).catch(() => lose());
  }
}

/** @param {WebSocket} socket @param {RTCIceServer[]} ice */
async function begin(socket, ice) {
  try {
    const opened = await CallMedia.open(ice, { way, picture: (theirs) => callSet({ theirs }) });
    if (socket !== line) return opened.close();
    media = opened;
    const sdp = await opened.offer();
    callSet({ state: "asking" });
    socket.send(JSON.stringify({ type: "ring", sdp }));
  } catch (error) {
    if (socket === line) over(error instanceof NoMicrophone ? "no_microphone" : "media");
  }
}

/** @param {"talking" | "lost"} state */
function way(state) {
  if (state === "lost") lose();
  else if (callNow().state === "connecting") callSet({ state: "talking", since: performance.now() });
}

/** The voices come no more: the kiosk is told while there is a line. */
function lose() {
  hangUp("media");
}

/** @param {string} [reason] */
export function hangUp(reason = "ended") {
  if (line?.readyState === WebSocket.OPEN) line.send(JSON.stringify({ type: "hangup", reason }));
  over(reason);
}

/** @param {string} reason */
function over(reason) {
  const gone = line;
  line = null;
  media?.close();
  media = null;
  if (callNow().state !== "over") callSet({ state: "over", reason, theirs: null, showing: false, held: false });
  setTimeout(() => gone?.close(), 300); // the last word leaves first
}

export function dismiss() {
  callSet(IDLE);
}

/** @param {boolean} muted */
export function mute(muted) {
  media?.mute(muted);
  callSet({ muted });
}

/** @param {boolean} on */
export async function showPicture(on) {
  const showing = (await media?.show(on, callNow().rate).catch(() => false)) ?? false;
  callSet({ showing });
}
