/** What an instrument had stored: numbers of another time, and maybe of another person. Only to be looked at. */

import { get } from "/shared/api.js";
import { clock, date, has, number, t } from "/shared/i18n.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { attempt } from "/kiosk/attempt.js";
import { unitText } from "/kiosk/parts.js";

/** @typedef {{ device: string, kind: string, value: number | null, unit: string, taken: string, taken_ms: number | null }} Stored */

const SHOWN_AT_MOST = 40;

/** The list, where the instrument had anything. @param {{ device: string }} props */
export function StoredNumbers({ device }) {
  const [found, setFound] = useState(/** @type {Stored[]} */ ([]));
  useEffect(() => {
    void attempt(() => get("/api/stored")).then((answer) => answer && setFound(answer.readings));
  }, [device]);
  const own = found.filter((one) => one.device === device);
  if (!own.length) return "";
  return html`<details class="device-stored"><summary>${t("devices.stored", { n: own.length })}</summary>
    <p class="soft small">${t("devices.stored.not_now")}</p>
    <ul>${own.slice(0, SHOWN_AT_MOST).map((one, n) => html`<li key=${n}><span class="soft">${when(one)}</span><span>${has(`vital.${one.kind}`) ? t(`vital.${one.kind}`) : one.kind}</span>
      <bdi dir="ltr"><b>${one.value === null ? "\u2013" : number(one.value)}</b> ${unitText(one.unit)}</bdi></li>`)}</ul>
  </details>`;
}

/** When it was taken: by this box's clock where the two could be compared, else by the instrument's own. @param {Stored} one */
function when({ taken, taken_ms }) {
  const ms = taken_ms ?? Date.parse(taken);
  if (Number.isNaN(ms)) return t("devices.stored.no_time");
  const told = html`<bdi>${date(ms, { day: "numeric", month: "short", year: "numeric" })} ${clock(ms)}</bdi>`;
  return taken_ms === null ? html`${told} ${t("devices.stored.its_clock")}` : told;
}
