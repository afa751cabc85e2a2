/** "Found: oximeter; use it?" and the calls behind it. */

import { get, post, remove } from "/shared/api.js";
import { has, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { attempt } from "/kiosk/attempt.js";
import { Button } from "/kiosk/parts.js";
import { useRoute } from "/kiosk/route.js";
import { now, set, useKiosk } from "/kiosk/store.js";
import { keepTold } from "/kiosk/newer.js";

/** @typedef {import("/shared/types.js").Device} Device */
/** @typedef {import("/shared/types.js").Found} Found */

/** Screens on which an offer does not come between the worker and a patient. */
const QUIET_PLACES = ["visit/tiles", "visit/vital", "start"];

/** @param {() => Promise<{ found: Found[] }>} ask */
async function read(ask) {
  const asked = performance.now();
  const { found } = await ask();
  const all = keepTold("found", asked, found, Object.values(now().found));
  set({ found: Object.fromEntries(all.map((one) => [one.id, one])) });
}

export function readFound() {
  return read(() => get("/api/found"));
}

/** Look at every bus once more; takes some seconds. */
export function searchAgain() {
  return read(() => post("/api/found", {}));
}

/** @param {string} id @param {boolean} use @param {string} [driver] where several fit */
export async function decide(id, use, driver = "") {
  const answer = await post(`/api/found/${encodeURIComponent(id)}`, driver ? { use, driver } : { use });
  const device = /** @type {Device | null} */ (answer.device);
  set({
    found: { ...now().found, [id]: answer.found },
    devices: device ? { ...now().devices, [device.id]: device } : now().devices,
  });
}

/** Ask who is there on a port that says nothing by itself. @param {string} id */
export async function ask(id) {
  const found = await post(`/api/found/${encodeURIComponent(id)}/ask`, {});
  set({ found: { ...now().found, [id]: found } });
}

/** @param {string} device */
export async function forget(device) {
  await remove(`/api/devices/${encodeURIComponent(device)}`);
  set({ devices: Object.fromEntries(Object.entries(now().devices).filter(([id]) => id !== device)) });
  await readFound();
}

/** @param {string} device @param {string | null} day "YYYY-MM-DD", or null for not known */
export async function calibrated(device, day) {
  const changed = await post(`/api/devices/${encodeURIComponent(device)}`, { calibrated_on: day });
  set({ devices: { ...now().devices, [device]: changed } });
}

/** What people call it: the instrument, with what tells two of a kind apart. @param {Found} found */
export function foundName(found) {
  const key = `instrument.${found.instrument}`;
  return found.instrument && has(key) ? t(key) : t("found.something");
}

/** The oldest offer, where it does not disturb. */
export function Offer() {
  const { found, worker, visit } = useKiosk();
  const [place = "start", which = ""] = useRoute();
  const [busy, setBusy] = useState(false);
  const here = place === "visit" ? `visit/${which}` : place;
  const offered = Object.values(found).find(({ state }) => state === "offered");
  if (!worker || !offered || visit?.capture || !QUIET_PLACES.includes(here)) return null;
  const answer = async (/** @type {boolean} */ use) => {
    setBusy(true);
    await attempt(() => decide(offered.id, use));
    setBusy(false);
  };
  return html`<div class="offer" role="status">
    <${Icon} name="plug" size="28px" />
    <span class="offer-words"><b>${t("found.offer", { what: foundName(offered) })}</b>
      <bdi dir="ltr" class="soft small">${offered.name || offered.place}</bdi></span>
    ${busy ? html`<${Icon} name="loader" />` : html`<${Button} go=${() => answer(false)} class="button-quiet">${t("found.no")}<//>
      <${Button} go=${() => answer(true)} icon="check">${t("found.yes")}<//>`}
  </div>`;
}
