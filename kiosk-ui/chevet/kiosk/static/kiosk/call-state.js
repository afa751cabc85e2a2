/** A specialist's call at the kiosk: it rings, the worker takes it or not; the box carries its words, the browsers the voices. */

import { ApiError, post } from "/shared/api.js";
import { CallMedia } from "/shared/call-media.js";
import { NoMicrophone } from "/shared/voice-recorder.js";
import { attempt } from "/kiosk/attempt.js";
import { now, set } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Call} Call */

/** @type {CallMedia | null} */
let media = null;
/** The call whose voices this page carries, or is about to. */
let mine = "";
/** Where the call stands that this page gave its answer to; a page loaded anew still finds it. */
const TAKEN = "chevet.call";
let ringing = 0;
/** @type {() => void} */
let stop = () => undefined;

/** Take what the box tells of a call. @param {Call | null} call */
export function callTold(call) {
  if (!call) return;
  if (call.state === "ringing" && now().blank) return void end(call, "private"); // somebody looks over the shoulder
  if (call.state === "talking" && sessionStorage.getItem(TAKEN) !== call.id) return leaveCall(); // taken at another screen
  if (call.state === "talking" && call.id !== mine) return void end(call, "media"); // this page was loaded anew: its voices are gone
  media?.hold(call.held);
  if (call.held && now().callShows) void showPicture(false);
  if (call.state === "over") close();
  const known = now().call;
  if (call.state === "over" && known?.id !== call.id) return; // it ended before this page saw it
  if (call.state === "over" && known?.state === "over") return;
  if (call.state === "ringing" && known?.id !== call.id) ring();
  else if (call.state !== "ringing") hush();
  set({ call });
}

/** The worker takes the call. @param {Call} call */
export async function takeCall(call) {
  hush();
  mine = call.id;
  set({ callWay: "connecting", callMuted: false, callSince: 0 });
  try {
    const opened = await CallMedia.open(call.ice, { way, picture: (callTheirs) => set({ callTheirs }) });
    if (mine !== call.id) return opened.close(); // it ended, or another screen took it, meanwhile
    media = opened;
    const sdp = await opened.answer(call.sdp);
    sessionStorage.setItem(TAKEN, mine);
    await post("/api/call/accept", { call: call.id, sdp });
  } catch (error) {
    if (mine !== call.id) return;
    close();
    if (error instanceof ApiError && error.code === "call_over") return set({ call: null }); // another screen was faster
    await end(call, error instanceof NoMicrophone ? "no_microphone" : "media");
    set({ call: { ...call, state: "over", reason: error instanceof NoMicrophone ? "no_microphone" : "media" } });
  }
}

/** @param {"talking" | "lost"} state */
function way(state) {
  const { call } = now();
  if (!call) return;
  if (state === "talking") set({ callWay: "talking", callSince: performance.now() });
  else void hangUp("media");
}

/** @param {string} [reason] */
export async function hangUp(reason = "ended") {
  const { call } = now();
  hush();
  close();
  if (!call) return;
  set({ call: { ...call, state: "over", reason } });
  await end(call, reason);
}

/** It is no call of this page, or nobody is signed in any more: nothing rings here, no microphone and no camera stays open. */
export function leaveCall() {
  hush();
  close();
  set({ call: null });
}

/** @param {Call} call @param {string} reason */
function end(call, reason) {
  return attempt(() => post("/api/call/end", { call: call.id, reason }));
}

function close() {
  media?.close();
  media = null;
  mine = "";
  sessionStorage.removeItem(TAKEN);
  set({ callTheirs: null, callShows: false, callWay: "" });
}

export function dismissCall() {
  set({ call: null });
}

/** @param {boolean} callMuted */
export function muteCall(callMuted) {
  media?.mute(callMuted);
  set({ callMuted });
}

/** @param {boolean} on */
export async function showPicture(on) {
  const callShows = (await media?.show(on, now().call?.rate ?? null).catch(() => false)) ?? false;
  set({ callShows });
}

/** Two soft tones, again and again, until somebody decides. */
function ring() {
  hush();
  const context = new AudioContext();
  const tones = () => [660, 880].forEach((hertz, k) => tone(context, hertz, context.currentTime + 0.25 * k));
  tones();
  ringing = window.setInterval(tones, 2500);
  stop = () => void context.close();
}

function hush() {
  clearInterval(ringing);
  stop();
  stop = () => undefined;
}

/** @param {AudioContext} context @param {number} hertz @param {number} at */
function tone(context, hertz, at) {
  const source = context.createOscillator();
  const loud = context.createGain();
  source.frequency.value = hertz;
  loud.gain.setValueAtTime(0.15, at);
  loud.gain.exponentialRampToValueAtTime(0.001, at + 0.6);
  source.connect(loud).connect(context.destination);
  source.start(at);
  source.stop(at + 0.6);
}
