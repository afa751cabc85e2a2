/** What the worker's hand does: calls to the box, then the new state. */

import { ApiError, get, patch, post, put, remove } from "/shared/api.js";
import { setLanguage } from "/shared/i18n.js";
import { hangUp, leaveCall } from "/kiosk/call-state.js";
import { attempt } from "/kiosk/attempt.js";
import { readFound } from "/kiosk/found.js";
import { connect, disconnect } from "/kiosk/line.js";
import { go } from "/kiosk/route.js";
import { inOrder, now, set } from "/kiosk/store.js";
import { keepTold } from "/kiosk/newer.js";

/** @typedef {import("/shared/types.js").Visit} Visit */

export const ROOMS = ["/shared", "/kiosk"];

/** @param {string} language */
export async function chooseLanguage(language) {
  await setLanguage(language, ROOMS);
  localStorage.setItem("chevet.language", language);
  set({ language });
  if (now().visit?.state === "draft" && now().worker) attempt(() => patchVisit({ language }));
}

export async function readStatus() {
  const status = await get("/api/status").catch((problem) => {
    if (problem instanceof ApiError && problem.code === "locked") set({ locked: true }); // it was started anew
    return null;
  });
  if (!status) return;
  const before = now().status?.version;
  if (before && before !== status.version) return location.reload(); // these screens belong to the version before
  set({ status, clockOffset: status.clock.now_ms - Date.now() });
}

/** After sign-in or a reload: devices, the open draft, the cases, the live line. */
export async function enter() {
  const [{ devices }, { visit }, { cases }] = await Promise.all([get("/api/devices"), get("/api/visits/current"), get("/api/cases")]);
  set({ devices: Object.fromEntries(devices.map((/** @type {{ id: string }} */ device) => [device.id, device])), visit, cases });
  connect();
  readFound().catch(() => null); // no offers is no trouble
}

/** @param {string} worker @param {string} pin */
export async function signIn(worker, pin) {
  const session = await post("/api/session", { worker, pin });
  await readStatus(); // a sign-in may end somebody else's lesson
  set({ worker: session.worker, ended: false });
  await enter();
}

/** @param {string} text what a badge's reader typed */
export async function signInByBadge(text) {
  const session = await post("/api/session/badge", { text });
  await readStatus();
  set({ worker: session.worker, ended: false });
  await enter();
}

export async function signOut() {
  if (now().callWay) await hangUp();
  await attempt(() => remove("/api/session"));
  leaveCall();
  disconnect();
  set({ worker: null, visit: null });
  go("start");
}

/** Read all cases. */
export async function readCases() {
  const asked = performance.now();
  const answer = await attempt(() => get("/api/cases"));
  if (answer) set({ cases: inOrder(keepTold("cases", asked, answer.cases, now().cases)) });
}

/** @param {Record<string, unknown>} change */
export async function patchVisit(change) {
  const visit = now().visit;
  if (visit) set({ visit: await patch(`/api/visits/${visit.id}`, change) });
}

/** Go to a screen of the visit and leave the place mark there, so that a reload or a power cut resumes. @param {string} screen */
export function goVisit(screen) {
  go(`visit/${screen}`);
  if (now().visit?.screen !== screen) attempt(() => patchVisit({ screen }));
}

export async function refreshVisit() {
  const visit = now().visit;
  if (visit) set({ visit: await get(`/api/visits/${visit.id}`) });
}

/** @param {string} patient id @param {string[]} redFlags answered before the patient was known */
export async function openVisit(patient, redFlags) {
  const visit = await post("/api/visits", { patient });
  set({ visit, measured: {} });
  await patchVisit({ red_flags: redFlags, language: now().language, screen: "consent" });
  go("visit/consent");
}

/**
 * Open a visit that goes on with a case, at the screen where its work is.
 * @param {{ id: string, patient: { id: string } }} one @param {string} message the specialist's request, or "" @param {string} screen
 */
export async function continueCase(one, message, screen) {
  const visit = await post("/api/visits", { patient: one.patient.id, case: one.id, ...(message ? { message } : {}) });
  set({ visit, measured: {} });
  await patchVisit({ language: now().language, screen });
  go(`visit/${screen}`);
}

/** @param {string} kind @param {number} value @param {string} unit UCUM */
export async function typeVital(kind, value, unit) {
  const visit = now().visit;
  if (visit) set({ visit: await put(`/api/visits/${visit.id}/vitals`, { kind, value, unit }) });
}

/** @param {string[]} purposes @param {string} witness @param {string} [override] the emergency in which nobody could be asked */
export async function giveConsent(purposes, witness, override = "") {
  const visit = now().visit;
  if (visit) set({ visit: await put(`/api/visits/${visit.id}/consent`, { purposes, witness, override }) });
}

/** @param {{ step: string, site: string, side: string, reason: string }} skip */
export async function skipStep(skip) {
  const visit = now().visit;
  if (visit) set({ visit: await post(`/api/visits/${visit.id}/skips`, skip) });
}

export async function sendVisit() {
  const visit = now().visit;
  if (!visit) return;
  const sent = await post(`/api/visits/${visit.id}/send`);
  set({ visit: null });
  if (!sent.case) return go("training/finish"); // nothing of a lesson leaves the box
  await readCases();
  go(`case/${sent.case}`);
}

/** @param {string} reason */
export async function abandonVisit(reason) {
  const visit = now().visit;
  if (!visit) return;
  await post(`/api/visits/${visit.id}/abandon`, { reason });
  set({ visit: null });
  go("start");
}
