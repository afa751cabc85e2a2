/** What the reader's hand does: calls to the relay, then the new state. */

import { ApiError, get, post, put, remove } from "/shared/api.js";
import { setLanguage } from "/shared/i18n.js";
import { nameApp } from "/desk/installed.js";
import { checkKept, forgetAll, settle } from "/desk/kept-contact.js";
import { takeUp, undisturbed, unsent } from "/desk/kept-drafts.js";
import { lock } from "/desk/kept-lock.js";
import { keptNow, keptSet } from "/desk/kept-state.js";
import { connect, disconnect } from "/desk/line.js";
import { roomsOf } from "/desk/rooms.js";
import { go, parse } from "/desk/route.js";
import { draftOf, now, set, setDraft } from "/desk/store.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */

const ROOMS = ["/shared", "/desk"];
/** Set in the browser's own store while a sign-out has not reached the relay. */
const LEAVING = "chevet.leaving";

/** @param {string} language */
export async function chooseLanguage(language) {
  await setLanguage(language, ROOMS);
  localStorage.setItem("chevet.language", language);
  nameApp(language);
  set({ language });
}

/**
 * Run a call; on failure remember the code, and send a reader whose session ended to sign-in.
 * @template T
 * @param {() => Promise<T>} work
 * @param {(error: ApiError) => void} failed
 * @returns {Promise<T | undefined>}
 */
async function attempt(work, failed) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === "not_signed_in") endSession();
    else failed(error);
    return undefined;
  }
}

/** @param {ApiError} error */
const showTrouble = (error) => set({ trouble: error.sentence });

export function endSession() {
  if (!now().user) return;
  disconnect();
  lock();
  keptSet({ unlocked: false });
  set({ user: null, ended: true, inbox: null, open: null, delivery: null, earlier: null, refused: null, dialog: "" });
}

export async function readStatus() {
  const status = await attempt(() => get("/api/status"), () => undefined);
  if (status) set({ status });
}

/** @param {string} user @param {string} password @throws {ApiError} for the form to show */
export async function signIn(user, password) {
  const answer = await post("/api/session", { user, password });
  if (answer.next) {
    set({ next: answer.next, ended: false });
    return;
  }
  set({ user: answer.user, ended: false, trouble: "" });
  await enter();
}

/** @param {boolean} sure words that are on this device alone may go */
export async function signOut(sure = false) {
  if (!sure && unsent() > 0) return set({ dialog: "leave" });
  // Without a line the cookie stays: the next page that meets the relay ends the session first.
  localStorage.setItem(LEAVING, "yes");
  await forgetAll().catch(() => undefined); // a browser without a store kept nothing
  await leave();
  disconnect();
  set({ user: null, ended: false, inbox: null, open: null, delivery: null, earlier: null, refused: null, drafts: {}, dialog: "" });
}

/** End the session of somebody who signed out, now or while there was no line. @returns {Promise<void>} */
export async function leave() {
  if (localStorage.getItem(LEAVING) !== "yes") return;
  const gone = await remove("/api/session").then(() => true, (error) => error.code === "not_signed_in");
  if (gone) localStorage.removeItem(LEAVING);
}

/** Signed in: open the live line and what the address names. */
export async function enter() {
  const has = roomsOf(now().user);
  if (has.live) connect();
  await Promise.all([readInbox(), readRefused(), follow(), has.inbox && has.talks ? readTalks() : undefined]);
  const { user } = now();
  if (user && !keptNow().offline) void settle(user.id);
}

/** Follow the address. */
export async function follow() {
  const asked = parse(location.hash);
  const route = asked.page === "inbox" ? parse(roomsOf(now().user).first) : asked;
  const same = route.id === now().open?.id;
  set({ route, trouble: "", ...(same ? {} : { open: null, openError: "", delivery: null, earlier: null, side: "answer", retake: null }) });
  if (now().user && route.page === "case" && !same) await readCase(route.id);
  if (now().user && route.page === "refused") await readRefused();
}

export async function readTalks() {
  const answer = await attempt(() => get("/api/discussions"), (error) => set({ talksError: error.code }));
  if (answer) set({ talks: answer.discussions, talksError: "" });
}

export async function readInbox() {
  const { inbox, talks } = roomsOf(now().user);
  if (talks && (!inbox || now().route.page === "talks")) await readTalks();
  if (!inbox) return;
  const answer = await attempt(() => get("/api/inbox"), (error) => set({ inboxError: error.code }));
  if (answer) set({ inbox: answer.cases, waiting: answer.waiting ?? 0, inboxError: "", inboxAt: Date.now() });
  if (answer) void checkKept(answer.cases, now().user?.id ?? "");
}

export async function readRefused() {
  if (!roomsOf(now().user).refused) return;
  const answer = await attempt(() => get("/api/refused"), (error) => set({ refusedError: error.code }));
  if (answer) set({ refused: answer.bundles, refusedError: "" });
}

/** @param {string} id */
export async function readCase(id) {
  const found = await attempt(() => get(`/api/cases/${id}`), (error) => set({ openError: error.code }));
  if (!found || now().route.id !== id) return;
  set({ open: found, openError: "" });
  takeUp(found);
  await readDelivery(id);
}

/** @param {string} id */
async function readDelivery(id) {
  const delivery = await attempt(() => get(`/api/cases/${id}/delivery`), () => undefined);
  if (delivery && now().route.id === id) set({ delivery });
}

/** Ask the site for what is missing of the open case. */
export async function wantAll() {
  const id = now().open?.id;
  if (!id) return;
  await attempt(() => post(`/api/cases/${id}/want`), showTrouble);
  await readDelivery(id);
}

/** @param {"claim" | "release"} what */
export async function takeOrGive(what) {
  const id = now().open?.id;
  if (!id) return;
  const found = await attempt(() => post(`/api/cases/${id}/${what}`), showTrouble);
  if (found && now().route.id === id) set({ open: found, trouble: "" });
  if (found) takeUp(found);
  await readInbox();
}

/**
 * Sign what was written and send it.
 * @param {string} password unlocks the signing key
 * @param {import("/desk/passkey.js").Proof} proof the second factor, empty where none was asked for
 * @throws {ApiError} for the dialog to show
 */
export async function sign(password, proof = {}) {
  const id = now().open?.id ?? "";
  const { follow_up_date, voice, ...written } = draftOf(id);
  const answer = { ...written, follow_up_date: follow_up_date || null, voice: voice?.text ?? "", password, ...proof };
  await undisturbed(id, () => post(`/api/cases/${id}/opinions`, answer));
  setDraft(id, null);
  set({ dialog: "" });
  await Promise.all([readCase(id), readInbox()]);
}

/**
 * @param {{kind: "note" | "retake", step: string, site: string, side: string, text: string, voice?: string}} message
 * @returns {Promise<boolean>} whether it was taken
 */
export async function write(message) {
  const id = now().open?.id;
  const sent = await attempt(() => post(`/api/cases/${id}/messages`, message), showTrouble);
  if (!sent || !id) return false;
  set({ retake: null, trouble: "" });
  await readCase(id);
  return true;
}

/** @param {string} recording @param {number} number of the picture @param {import("/shared/instruments/picture-viewer-draw.js").Shape[]} shapes all of the reader's own on it */
export async function keepDrawing(recording, number, shapes) {
  const id = now().open?.id;
  const kept = await attempt(() => put(`/api/cases/${id}/recordings/${recording}/drawings/${number}`, { shapes }), showTrouble);
  const { open } = now();
  if (kept && open && open.id === id) set({ open: { ...open, drawings: kept.drawings }, trouble: "" });
}

/** @param {string} id @param {string} [pane] */
export function openCase(id, pane = "") {
  go(pane ? `case/${id}/${pane}` : `case/${id}`);
}
