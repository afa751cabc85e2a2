/** What a browser needs to take alerts while the desk is closed: its word, a worker, and the relay's key. */

import { get, post, remove } from "/shared/api.js";

/** @typedef {{number: number, mark: string, browser: string, created_ms: number, taken_ms: number | null}} Listener */
/** @typedef {{key: string, browsers: Listener[], here: Listener | null}} Known */
/** @typedef {"unable" | "denied" | "able"} Ability */

/** Whether this browser can take alerts: only by https, and on an iPhone only from the home screen. @returns {Ability} */
export function ability() {
  if (!navigator.serviceWorker || !("PushManager" in window) || !("Notification" in window)) return "unable";
  return Notification.permission === "denied" ? "denied" : "able";
}

/** What the relay knows of the reader's browsers, and which of them is this one. @returns {Promise<Known>} */
export async function readListeners() {
  const [{ key, browsers }, mine] = await Promise.all([get("/api/push"), subscribed()]);
  const mark = mine && (await markOf(mine.endpoint));
  return { key, browsers, here: browsers.find((/** @type {Listener} */ one) => one.mark === mark) ?? null };
}

/** Ask the reader, then the browser, then tell the relay. @param {string} key of the relay @returns {Promise<Ability>} */
export async function listenHere(key) {
  if ((await Notification.requestPermission()) !== "granted") return ability() === "denied" ? "denied" : "able";
  const registration = await workerReady();
  const before = await registration.pushManager.getSubscription();
  if (before && !isOf(before, key)) await before.unsubscribe(); // of a key that the relay has no more
  const mine = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(key) });
  const { endpoint, keys } = mine.toJSON();
  await post("/api/push", { endpoint, keys: { p256dh: keys?.p256dh ?? "", auth: keys?.auth ?? "" } });
  return "able";
}

/** @param {Listener} one @param {boolean} here it is this browser */
export async function endListening(one, here) {
  await remove(`/api/push/${one.number}`);
  if (here) await (await subscribed())?.unsubscribe();
}

async function workerReady() {
  await navigator.serviceWorker.register("/worker.js", { updateViaCache: "none" });
  return navigator.serviceWorker.ready;
}

async function subscribed() {
  const registration = await navigator.serviceWorker?.getRegistration();
  return (await registration?.pushManager?.getSubscription()) ?? null;
}

/** @param {PushSubscription} one @param {string} key */
function isOf(one, key) {
  const held = one.options.applicationServerKey;
  return held !== null && [...new Uint8Array(held)].join() === [...bytesOf(key)].join();
}

/** @param {string} base64url */
function bytesOf(base64url) {
  return Uint8Array.from(atob(base64url.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
}

/** How the list names a browser without saying where it is reached. @param {string} endpoint */
async function markOf(endpoint) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint)));
  return Array.from(hash.slice(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A notice was touched while a page of the desk was open. @param {() => void} show the inbox */
export function whenNoticeTouched(show) {
  navigator.serviceWorker?.addEventListener("message", (event) => {
    if (event.data === "inbox") show();
  });
}
