/** What this is and what it is not. */

import { t, unconfirmed } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { byItself, setByItself } from "/kiosk/coaches/by-itself.js";
import { attempt } from "/kiosk/attempt.js";
import { readStatus } from "/kiosk/actions.js";
import { chooseElectrodes, electrodeCode } from "/kiosk/electrodes.js";
import { moreContrast, setContrast } from "/kiosk/look.js";
import { Button, Dialog } from "/kiosk/parts.js";
import { go } from "/kiosk/route.js";
import { THERE, useKiosk } from "/kiosk/store.js";

const GIGABYTE = 1e9;

/** @param {{ close: () => void }} props */
export function About({ close }) {
  const { status, devices, worker } = useKiosk();
  const ready = Object.values(devices).filter(({ state }) => THERE.includes(state)).length;
  const toDevices = () => {
    close();
    go("devices");
  };
  const toHealth = () => {
    close();
    go("health");
  };
  return html`<${Dialog} title=${t("about.title")} close=${close} class="about">
    <p class="about-statement"><${Icon} name="triangle-alert" size="28px" />${t("about.statement")}</p>
    ${unconfirmed() && html`<p class="about-unconfirmed"><${Icon} name="languages" size="28px" />${t("about.unconfirmed")}</p>`}
    <dl class="about-facts">
      <dt>${t("about.site")}</dt><dd>${status?.site.name} · <bdi dir="ltr">${status?.site.code}</bdi></dd>
      <dt>${t("about.phone")}</dt><dd><bdi dir="ltr">${status?.site.phone || "\u2013"}</bdi></dd>
      <dt>${t("about.version")}</dt><dd><bdi dir="ltr">${status?.version}</bdi></dd>
      <dt>${t("about.disk")}</dt><dd>${status && html`<bdi dir="ltr">${(status.disk.free_bytes / GIGABYTE).toFixed(1)} GB</bdi>`}</dd>
    </dl>
    <div class="about-switches"><${Switch} words=${t("about.contrast")} is=${moreContrast} turn=${setContrast} />
      ${worker && html`<${Switch} words=${t("about.by_itself")} is=${byItself} turn=${setByItself} /><${Electrodes} />`}</div>
    ${worker && html`<div class="about-links"><${Button} go=${toHealth} icon="heart-pulse">${t("health.title")}<//>
      <${Button} go=${toDevices} icon="plug"><span>${t("about.devices")} · <bdi dir="ltr">${ready}/${Object.keys(devices).length}</bdi></span><//></div>`}
  <//>`;
}

/** Which names and colours the cable of the ECG has; the box keeps it. */
function Electrodes() {
  const code = electrodeCode();
  const choose = (/** @type {"iec" | "aha"} */ one) => attempt(() => chooseElectrodes(one).then(readStatus));
  return html`<div class="about-electrodes"><span id="electrodes">${t("about.electrodes")}</span>
    <div class="segments" role="group" aria-labelledby="electrodes" dir="ltr">${/** @type {const} */ (["iec", "aha"]).map((one) => html`<button aria-pressed=${String(one === code)} onClick=${() => choose(one)}>${one.toUpperCase()}</button>`)}</div></div>`;
}

/** @param {{ words: string, is: () => boolean, turn: (on: boolean) => void }} props something of this kiosk that is on or off */
function Switch({ words, is, turn }) {
  const [on, show] = useState(is());
  const press = () => {
    turn(!on);
    show(!on);
  };
  return html`<button class="button about-switch" role="switch" aria-checked=${String(on)} onClick=${press}>
    <${Icon} name=${on ? "circle-check" : "circle"} /><span>${words}</span><b>${on ? t("do.yes") : t("do.no")}</b></button>`;
}
