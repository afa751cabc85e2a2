/** What this is and what it is not. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { Chip, Dialog } from "/kiosk/parts.js";
import { useKiosk } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Device} Device */

const GIGABYTE = 1e9;

/** @param {{ close: () => void }} props */
export function About({ close }) {
  const { status, devices, worker } = useKiosk();
  return html`<${Dialog} title=${t("about.title")} close=${close} class="about">
    <p class="about-statement"><${Icon} name="triangle-alert" size="28px" />${t("about.statement")}</p>
    <dl class="about-facts">
      <dt>${t("about.site")}</dt><dd>${status?.site.name} · <bdi dir="ltr">${status?.site.code}</bdi></dd>
      <dt>${t("about.phone")}</dt><dd><bdi dir="ltr">${status?.site.phone || "\u2013"}</bdi></dd>
      <dt>${t("about.version")}</dt><dd><bdi dir="ltr">${status?.version}</bdi></dd>
      <dt>${t("about.disk")}</dt><dd>${status && html`<bdi dir="ltr">${(status.disk.free_bytes / GIGABYTE).toFixed(1)} GB</bdi>`}</dd>
    </dl>
    ${worker && html`<h3>${t("about.devices")}</h3><ul class="about-devices">
      ${Object.values(devices).map((device) => html`<${DeviceRow} device=${device} key=${device.id} />`)}
    </ul>`}
  <//>`;
}

/** @param {{ device: Device }} props */
function DeviceRow({ device }) {
  const ready = device.state === "ready";
  return html`<li><b>${t(`instrument.${device.instrument}`)}</b>
    <span class="soft small"><bdi dir="ltr">${device.model || device.driver}${device.firmware && ` · ${device.firmware}`}</bdi></span>
    <${Chip} kind=${ready ? "ok" : "bad"} icon=${ready ? "check" : "unplug"}>${t(`tile.${device.state === "failed" ? "absent" : device.state}`)}<//></li>`;
}
