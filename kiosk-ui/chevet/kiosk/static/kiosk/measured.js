/** Numbers of meters that wait to be taken into the visit. */

import { get, post } from "/shared/api.js";
import { now, set } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Measured} Measured */

export async function readMeasured() {
  const visit = now().visit;
  if (visit?.state !== "draft") return;
  const { measured } = await get(`/api/visits/${visit.id}/measured`);
  set({ measured: Object.fromEntries(measured.map((/** @type {Measured} */ one) => [one.device, one])) });
}

/** These numbers are of this patient. @param {string} device */
export async function takeMeasured(device) {
  const visit = now().visit;
  if (!visit) return;
  set({ visit: await post(`/api/visits/${visit.id}/measured`, { device }) });
  await readMeasured();
}
