/** The instruments of this box: how they are, and what else is on the buses. */

import { date, has, number, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { attempt } from "/kiosk/attempt.js";
import { ask, calibrated, decide, forget, foundName, readFound, searchAgain } from "/kiosk/found.js";
import { Button, Chip, Dialog, Empty, Main, Page } from "/kiosk/parts.js";
import { go } from "/kiosk/route.js";
import { boxNow, useKiosk } from "/kiosk/store.js";
import { StoredNumbers } from "/kiosk/stored.js";

/** @typedef {import("/shared/types.js").Device} Device */
/** @typedef {import("/shared/types.js").Found} Found */

const ICONS = /** @type {Record<string, string>} */ ({
  oximeter: "med/pulse_oximeter", ecg: "med/heart_cardiogram", stethoscope: "med/stethoscope", otoscope: "med/ear",
  blood_pressure: "med/blood_pressure_monitor", thermometer: "med/thermometer_digital", scale: "med/weight", glucose: "med/blood_drop",
  heart_rate: "med/heartbeat", battery: "battery-medium",
});
const LOW_BATTERY_PCT = 20;

export function DevicesPage() {
  const { devices, found } = useKiosk();
  const [searching, setSearching] = useState(false);
  useEffect(() => {
    attempt(readFound);
  }, []);
  const search = async () => {
    setSearching(true);
    await attempt(searchAgain);
    setSearching(false);
  };
  const others = Object.values(found).filter(({ state }) => state !== "used");
  const offered = others.some(({ state }) => state === "offered");
  const around = html`<h2>${t("found.title")}</h2>
    <ul class="device-list">${others.map((one) => html`<${FoundRow} found=${one} key=${one.id} />`)}</ul>
    ${!others.length && html`<p class="soft">${t("found.none")}</p>`}`;
  return html`<${Page} title=${t("about.devices")} class="devices-page" back=${() => go("start")}
    main=${html`<${Main} go=${search} icon="search" busy=${searching}>${searching ? t("found.searching") : t("found.search")}<//>`}>
    ${offered && around}
    ${offered && html`<h2>${t("devices.own")}</h2>`}
    <ul class="device-list">${Object.values(devices).map((device) => html`<${DeviceRow} device=${device} key=${device.id} />`)}</ul>
    ${!Object.keys(devices).length && html`<${Empty} icon="unplug" title=${t("devices.none")}>${t("devices.none.help")}<//>`}
    ${!offered && around}
  <//>`;
}

/** @param {Device} device @returns {{ kind: "ok" | "bad" | "attention" | "", icon: string, word: string }} */
function stateOf(device) {
  if (device.rate_wrong) return { kind: "attention", icon: "triangle-alert", word: t("devices.rate_wrong") };
  if (device.state === "ready") return { kind: "ok", icon: "check", word: t("tile.ready") };
  if (device.state === "waiting") return { kind: "ok", icon: "check", word: t("tile.waiting") };
  if (device.state === "connecting") return { kind: "", icon: "loader", word: t("tile.connecting") };
  if (device.state === "absent") return { kind: "bad", icon: "unplug", word: t("tile.absent") };
  return { kind: "bad", icon: "triangle-alert", word: has(`trouble.${device.problem}`) ? t(`trouble.${device.problem}`) : t("trouble.other") };
}

/** @param {{ device: Device }} props */
function DeviceRow({ device }) {
  const [open, setOpen] = useState(false);
  const { kind, icon, word } = stateOf(device);
  const low = device.battery_pct !== null && device.battery_pct < LOW_BATTERY_PCT;
  return html`<li class="card device-row" data-device=${device.id}>
    <${Icon} name=${ICONS[device.instrument] ?? "plug"} size="40px" />
    <div class="device-words"><b>${t(`instrument.${device.instrument}`)}</b>
      <span class="soft small"><bdi dir="ltr">${[device.model || device.driver, device.serial].filter(Boolean).join(" · ")}</bdi></span></div>
    ${device.battery_pct !== null && html`<${Chip} kind=${low ? "attention" : ""} icon=${low ? "battery-low" : "battery-medium"}><bdi dir="ltr">${number(device.battery_pct, 0)} %</bdi><//>`}
    <${Chip} kind=${kind} icon=${icon}>${word}<//>
    <${Button} go=${() => setOpen(true)} icon="info">${t("devices.more")}<//>
    ${open && html`<${DeviceDialog} device=${device} close=${() => setOpen(false)} />`}
  </li>`;
}

/** @param {{ device: Device, close: () => void }} props */
function DeviceDialog({ device, close }) {
  const [day, setDay] = useState(device.calibrated_on ?? "");
  const today = new Date(boxNow()).toISOString().slice(0, 10);
  const save = () => attempt(() => calibrated(device.id, day || null)).then(close);
  const rates = Object.entries(device.rates).map(([name, rate]) => `${name} ${number(rate)} Hz`);
  return html`<${Dialog} title=${t(`instrument.${device.instrument}`)} close=${close} class="device-dialog">
    <dl class="about-facts">
      <${Fact} what="model" value=${device.model || device.driver} /><${Fact} what="serial" value=${device.serial} />
      <${Fact} what="firmware" value=${device.firmware} /><${Fact} what="driver" value=${device.driver} />
      <${Fact} what="rates" value=${rates.slice(0, 3).join(", ") + (rates.length > 3 ? " …" : "")} />
      ${device.measured_hz !== null && html`<${Fact} what="measured" value=${`${number(device.measured_hz, 2)} Hz`} />`}
      <${Fact} what="lost" value=${number(device.lost_samples)} /><${Fact} what="bad" value=${number(device.bad_frames)} />
    </dl>
    <${StoredNumbers} device=${device.id} />
    <label class="device-day"><span>${t("devices.calibrated")}</span>
      <input type="date" max=${today} value=${day} onInput=${(/** @type {InputEvent & { target: HTMLInputElement }} */ event) => setDay(event.target.value)} />
      <span class="soft small">${device.calibrated_on ? date(Date.parse(device.calibrated_on)) : t("devices.calibrated.never")}</span></label>
    <div class="dialog-foot">
      ${device.origin === "found" && html`<${Button} go=${() => attempt(() => forget(device.id)).then(close)} icon="x">${t("devices.forget")}<//>`}
      <${Main} go=${save} icon="check">${t("vital.save")}<//>
    </div>
  <//>`;
}

/** @param {{ what: string, value: string }} props */
function Fact({ what, value }) {
  return html`<dt>${t(`devices.${what}`)}</dt><dd><bdi dir="ltr">${value || "\u2013"}</bdi></dd>`;
}

/** @param {{ found: Found }} props */
function FoundRow({ found }) {
  const [busy, setBusy] = useState(false);
  const [choosing, choose] = useState(false);
  const work = async (/** @type {() => Promise<void>} */ call) => {
    setBusy(true);
    await attempt(call);
    setBusy(false);
    choose(false);
  };
  const use = () => (found.driver ? work(() => decide(found.id, true)) : choose(true));
  const known = found.driver || found.drivers.length > 0;
  return html`<li class="card device-row" data-found=${found.id}>
    <${Icon} name=${ICONS[found.instrument] ?? "circle-dashed"} size="40px" />
    <div class="device-words"><b>${foundName(found)}</b>
      <span class="soft small"><bdi dir="ltr">${[found.name, found.serial, found.place].filter(Boolean).join(" · ")}</bdi></span></div>
    <${Chip} icon=${found.state === "listening" ? "loader" : undefined}>${t(`found.${found.state}`)}<//>
    ${busy && html`<${Icon} name="loader" />`}
    ${!busy && known && html`<${Button} go=${use} icon="check">${t("found.yes")}<//>`}
    ${!busy && !known && found.bus === "serial" && html`<${Button} go=${() => work(() => ask(found.id))} icon="search">${t("found.ask")}<//>`}
    ${!busy && found.state === "offered" && html`<${Button} go=${() => work(() => decide(found.id, false))} class="button-quiet">${t("found.no")}<//>`}
    ${choosing && html`<${Dialog} title=${t("found.choose")} close=${() => choose(false)}>
      <div class="skip-reasons">${found.drivers.map((driver) => html`<${Button} go=${() => work(() => decide(found.id, true, driver))}><bdi dir="ltr">${driver}</bdi><//>`)}</div>
    <//>`}
  </li>`;
}
