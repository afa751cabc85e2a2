/** A patient's card held before the camera there is, where no scanner is. */

import { ApiError, post } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { html, useEffect } from "/shared/vendor/htm-preact/standalone.module.js";
import { attempt } from "/kiosk/attempt.js";
import { Finder } from "/kiosk/camera.js";
import { Dialog, Hint } from "/kiosk/parts.js";
import { set } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Patient} PatientShape */

const LOOK_MS = 500;

/** @param {string} device @returns {Promise<PatientShape | null | undefined>} null: no card yet; undefined: it cannot be looked for */
async function look(device) {
  return attempt(async () => {
    try {
      return (await post("/api/patients/look", { device })).patient;
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "not_found") throw error;
      set({ trouble: t("card.elsewhere") });
      return null;
    }
  });
}

/** @param {{ device: string, found: (patient: PatientShape) => void, close: () => void }} props */
export function CardLook({ device, found, close }) {
  useEffect(() => {
    let timer = 0;
    let open = true;
    const again = async () => {
      const patient = await look(device);
      if (!open) return;
      if (patient) found(patient);
      else timer = window.setTimeout(again, LOOK_MS);
    };
    again();
    return () => {
      open = false;
      clearTimeout(timer);
    };
  }, [device]);
  return html`<${Dialog} title=${t("card.look.title")} close=${close} class="photo-dialog">
    <${Finder} device=${device} />
    <${Hint} kind="info" icon="qr-code" title=${t("card.look.wait")} />
  <//>`;
}
