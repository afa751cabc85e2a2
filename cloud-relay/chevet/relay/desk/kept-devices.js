/** In the account: where cases are kept for reading offline, and how to have them deleted on a device that is lost. */

import { get, remove } from "/shared/api.js";
import { clock, date, t } from "/shared/i18n.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { meet } from "/desk/kept-contact.js";

/** @typedef {{id: string, browser: string, created_ms: number, seen_ms: number, cases: number, until_ms: number, current: boolean}} Device */

/** @param {{ failed: (sentence: string) => void }} props */
export function KeptDevices({ failed }) {
  const [devices, setDevices] = useState(/** @type {Device[]} */ ([]));
  const read = () => get("/api/kept").then((answer) => setDevices(answer.devices), (error) => failed(error.sentence));
  useEffect(() => void read(), []);
  /** @param {string} id */
  const end = (id) => remove(`/api/kept/${id}`).then(meet).then(read, (error) => failed(error.sentence));
  if (!devices.length) return null;
  return html`<h3>${t("kept.devices")}</h3><p class="soft small">${t("kept.end_how")}</p>
    <ul class="sessions">${devices.map((one) => html`<li key=${one.id}>
      <span><b dir="auto">${one.browser || t("sessions.unknown")}</b> · ${t("kept.cases", { n: one.cases })}
        <span class="soft small">${one.current ? t("sessions.this") : t("kept.seen", { time: `${date(one.seen_ms)} ${clock(one.seen_ms)}`, until: date(one.until_ms) })}</span></span>
      <button type="button" class="button" onClick=${() => end(one.id)}>${t("kept.end")}</button>
    </li>`)}</ul>`;
}
