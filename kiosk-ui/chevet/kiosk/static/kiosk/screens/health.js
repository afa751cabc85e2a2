/** How the box is, each thing with what to do about it; and a code for the telephone. */

import { get } from "/shared/api.js";
import { age, number, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { attempt } from "/kiosk/attempt.js";
import { Button, Chip, Main, Page } from "/kiosk/parts.js";
import { go } from "/kiosk/route.js";
import { boxNow, useKiosk } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Health} Health */
/** @typedef {{ key: string, icon: string, value: string, kind: "ok" | "attention" | "bad", word: string }} Row */

const GIGABYTE = 1e9;
const LOOK_EVERY_MS = 10_000;
const LOW_PCT = 20;

/** @returns {Health | null} read again while the page is open */
export function useHealth() {
  const [health, setHealth] = useState(/** @type {Health | null} */ (null));
  useEffect(() => {
    const look = () => attempt(() => get("/api/health")).then((answer) => answer && setHealth(answer));
    look();
    const timer = setInterval(look, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return health;
}

export function HealthPage() {
  const health = useHealth();
  return html`<${Page} title=${t("health.title")} icon="heart-pulse" class="health" back=${() => go("start")} backLabel=${t("case.home")}
    extra=${html`<${Button} go=${() => go("update")} icon="refresh-cw">${t("update.title")}<//>`}
    main=${html`<${Main} go=${() => go("devices")} icon="plug">${t("about.devices")}<//>`}>
    ${health ? html`<div class="health-rows">${rowsOf(health).map((row) => html`<${HealthRow} row=${row} key=${row.key} />`)}</div>
      <section class="card support"><div><b>${t("support.title")}</b><p class="soft small">${t("support.help")}</p></div>
        <bdi dir="ltr" class="support-code">${health.support_code}</bdi></section>`
      : html`<div class="waiting"><${Icon} name="loader" size="48px" /></div>`}
  <//>`;
}

/** @param {{ row: Row }} props */
function HealthRow({ row }) {
  return html`<section class=${`card health-row health-${row.kind}`}><${Icon} name=${row.icon} size="32px" />
    <span class="health-what"><span class="soft small">${t(`health.${row.key}`)}</span><b><bdi>${row.value}</bdi></b>
      ${row.kind !== "ok" && html`<span class="small">${t(`health.${row.key}.do`)}</span>`}</span>
    <${Chip} kind=${row.kind} icon=${row.kind === "ok" ? "check" : "triangle-alert"}>${row.word}<//></section>`;
}

/** @param {Health} health @returns {Row[]} */
function rowsOf({ disk, heat, clock, power, uplink, queue, devices }) {
  const good = (/** @type {boolean} */ ok, /** @type {"attention" | "bad"} */ kind = "attention") => (ok ? "ok" : kind);
  const word = (/** @type {boolean} */ ok) => (ok ? t("health.ok") : t("health.look"));
  const cool = heat.level === "ok" || heat.level === "unknown";
  const low = power.source === "battery" && power.percent !== null && power.percent < LOW_PCT;
  const contact = uplink.last_contact_ms === null ? t("health.never") : age(Math.max(0, (boxNow() - uplink.last_contact_ms) / 1000));
  /** @type {[string, string, string, boolean, "attention" | "bad"][]} */
  const rows = [
    ["disk", "hard-drive", `${number(disk.free_bytes / GIGABYTE)} GB`, disk.level === "ok", disk.level === "full" ? "bad" : "attention"],
    ["heat", "thermometer", heat.celsius === null ? t("health.unknown") : `${number(heat.celsius)} °C`, cool, heat.level === "hot" ? "bad" : "attention"],
    ["clock", "clock", t(`health.clock.${clock.quality}`), clock.quality !== "free-running", "attention"],
    ["power", "battery-medium", power.percent === null ? t(`health.power.${power.source}`) : `${number(power.percent, 0)} %`, !low, "bad"],
    ["network", "wifi", contact, uplink.state === "online", "attention"],
    ["queue", "inbox", t("health.waiting", { n: queue.waiting + queue.travelling }), queue.refused === 0, "bad"],
    ["instruments", "plug", `${devices.ready}/${devices.known}`, devices.weak.length === 0, "attention"],
    ["up", "timer", age(clock.up_s), true, "attention"],
  ];
  return rows.map(([key, icon, value, ok, kind]) => ({ key, icon, value, kind: good(ok, kind), word: word(ok) }));
}
