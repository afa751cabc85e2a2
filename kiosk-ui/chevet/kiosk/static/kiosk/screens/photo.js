/** A photograph of the patient, for who agrees: it helps to recognise the person and never leaves the box. */

import { put, remove } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { attempt } from "/kiosk/attempt.js";
import { camera, Finder } from "/kiosk/camera.js";
import { Button, Dialog } from "/kiosk/parts.js";
import { isCoded } from "/kiosk/screens/card.js";

/** @typedef {import("/shared/types.js").Patient} PatientShape */

/** The photograph where there is one, and what there is to do with it. @param {PatientShape} patient */
export function usePhoto(patient) {
  const [url, show] = useState("");
  const look = async () => {
    const answer = await fetch(`/api/patients/${patient.id}/photo`).catch(() => null);
    show(answer?.ok ? URL.createObjectURL(await answer.blob()) : "");
  };
  useEffect(() => {
    look();
  }, [patient.id]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  return { url, look, may: !isCoded(patient) && (Boolean(url) || camera() !== null) };
}

/** @param {{ patient: PatientShape, url: string, look: () => Promise<void>, close: () => void }} props */
export function PhotoDialog({ patient, url, look, close }) {
  const device = camera();
  const change = (/** @type {Promise<unknown>} */ work) => attempt(() => work.then(look)).then(close);
  const at = `/api/patients/${patient.id}/photo`;
  return html`<${Dialog} title=${t("photo.title")} close=${close} class="photo-dialog">
    <p class="soft">${t("photo.help")}</p>
    ${device ? html`<${Finder} device=${device.id} />` : ""}
    <div class="dialog-foot">
      ${url && html`<${Button} go=${() => change(remove(at))} icon="x" class="button-bad">${t("photo.forget")}<//>`}
      ${device && html`<${Button} go=${() => change(put(at, { device: device.id }))} icon="camera" class="button-main">${t("photo.keep")}<//>`}
    </div>
  <//>`;
}
