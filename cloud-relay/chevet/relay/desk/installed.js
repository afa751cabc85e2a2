/** The desk as an installed app: its files in the browser, and a new version of them offered when it is there. */

import { set } from "/desk/store.js";

/** A page may stay open for days: so often it asks for a new version. */
const ASK_EVERY_MS = 6 * 3_600_000;

/** Name and words of the app in the page's language, for whoever installs it. @param {string} language */
export function nameApp(language) {
  document.querySelector('link[rel="manifest"]')?.setAttribute("href", `/desk/app/${language}.webmanifest`);
}

/** Let the browser keep the desk's files; where it cannot (no https, an old browser) all goes on as before. */
export async function keepShell() {
  const registration = await navigator.serviceWorker?.register("/worker.js", { updateViaCache: "none" }).catch(() => undefined);
  if (!registration) return;
  const offer = () => {
    if (registration.waiting && navigator.serviceWorker.controller) set({ fresh: true });
  };
  offer();
  setInterval(() => void registration.update().catch(() => undefined), ASK_EVERY_MS); // without a line there is none
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", offer));
}

/** Go over to the new version. @returns {Promise<boolean>} false where another page of the desk is still open on the old one */
export async function useFresh() {
  const registration = await navigator.serviceWorker.getRegistration();
  if (!registration?.waiting) return true;
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise((done) => {
    port1.onmessage = (event) => done(event.data);
  });
  registration.waiting.postMessage("use", [port2]);
  return (await answer) === "used";
}
