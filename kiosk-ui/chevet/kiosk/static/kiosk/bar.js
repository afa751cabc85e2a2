/** The bar that is always there: where, who, network, queue, power, clock, language. */

import { age, ageShort, clock, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { ToRead } from "/kiosk/arrival.js";
import { chooseLanguage, signOut } from "/kiosk/actions.js";
import { offered } from "/kiosk/languages.js";
import { Patient } from "/kiosk/people.js";
import { VoiceSwitch } from "/kiosk/voice.js";
import { go } from "/kiosk/route.js";
import { boxNow, set, useKiosk } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Status} Status */

const SHORT = /** @type {Record<string, string>} */ ({ fr: "FR", ar: "ع", zgh: "ⵣ", en: "EN" });

export function Bar() {
  const { status, visit, worker } = useKiosk();
  return html`<div class="bar" role="banner">
    <button class="bar-home" disabled=${!worker} aria-label=${`${status?.site.name ?? t("app.name")}: ${t("bar.home")}`} onClick=${() => go("start")}>
      <${Icon} name="house" size="22px" /><b>${status?.site.name ?? t("app.name")}</b>
    </button>
    ${worker && visit && html`<span class="bar-patient"><${Patient} patient=${visit.patient} /></span>`}
    <span class="bar-space"></span>
    ${status && html`<${ToRead} /><${Network} status=${status} /><${Queue} status=${status} /><${Power} status=${status} />`}
    <${Clock} />
    <${Languages} />
    <${Menu} />
  </div>`;
}

/** @param {{ status: Status }} props */
function Network({ status }) {
  const online = status.uplink.state === "online";
  const heard = status.uplink.last_contact_ms;
  const silent = online || heard === null ? null : Math.max(0, (boxNow() - heard) / 1000);
  return html`<span class="bar-item">
    <${Icon} name=${online ? "wifi" : "wifi-off"} size="20px" /><span class=${`dot ${online ? "dot-ok" : "dot-off"}`}></span>
    <span class="bar-word">${online ? t("bar.online") : t("bar.offline")}</span>
    ${silent !== null && html`<span class="bar-contact" role="img" aria-label=${`${t("health.network")}: ${age(silent)}`}><bdi>${ageShort(silent)}</bdi></span>`}
    ${online && status.uplink.route ? html`<bdi class="bar-route">${status.uplink.route}</bdi>` : ""}
  </span>${online && status.uplink.watched ? html`<span class="bar-item" role="status" title=${t("bar.watched")}><${Icon} name="eye" size="20px" /><span class="bar-word">${t("bar.watched")}</span></span>` : ""}`;
}

/** @param {{ status: Status }} props */
function Queue({ status }) {
  const { worker } = useKiosk();
  const waiting = status.queue.waiting + status.queue.travelling;
  const words = waiting ? t("bar.queue", { n: waiting }) : t("bar.queue.empty");
  return html`<button class="bar-item bar-queue" disabled=${!worker} aria-label=${`${waiting} · ${words}`} onClick=${() => go("queue")}><${Icon} name="inbox" size="20px" />
    <span class="bar-word">${words}</span><bdi class="bar-short" aria-hidden="true">${waiting}</bdi></button>`;
}

/** @param {{ status: Status }} props */
function Power({ status }) {
  const { source, percent } = status.power;
  if (source === "unknown") return null;
  const low = source === "battery" && percent !== null && percent < 20;
  const icon = source === "mains" ? "plug" : low ? "battery-low" : "battery-medium";
  return html`<span class=${`bar-item ${low ? "bar-low" : ""}`} role="img" aria-label=${percent === null ? t(`bar.power.${source}`) : `${t(`bar.power.${source}`)} ${percent} %`}>
    <${Icon} name=${icon} size="20px" />
    ${source === "mains" ? html`<span class="bar-word">${t("bar.power.mains")}</span>` : html`<bdi dir="ltr">${percent ?? "\u2013"} %</bdi>`}
  </span>`;
}

function Clock() {
  const [ms, tick] = useState(boxNow());
  useEffect(() => {
    const timer = setInterval(() => tick(boxNow()), 1000);
    return () => clearInterval(timer);
  }, []);
  return html`<bdi dir="ltr" class="bar-clock" role="timer" aria-label=${t("bar.clock")}>${clock(ms)}</bdi>`;
}

function Languages() {
  const { language } = useKiosk();
  return html`<div class="bar-languages" dir="ltr" role="group" aria-label=${t("bar.language")}>
    ${offered().map(
      ([code, name]) => html`<button
        lang=${code}
        aria-label=${`${SHORT[code]} ${name}`}
        aria-pressed=${String(code === language)}
        onClick=${() => chooseLanguage(code)}
      >${SHORT[code]}</button>`,
    )}
  </div>`;
}

function Menu() {
  const { worker } = useKiosk();
  return html`<${VoiceSwitch} />
    <button class="bar-button" aria-label=${t("blank.title")} onClick=${() => set({ blank: true })}><${Icon} name="eye-off" size="22px" /></button>
    <button class="bar-button" aria-label=${t("about.title")} onClick=${() => set({ aboutOpen: true })}><${Icon} name="info" size="22px" /></button>
    ${worker &&
    html`<button class="bar-button" aria-label=${t("bar.signout", { name: worker.name })} onClick=${signOut}><${Icon} name="lock" size="22px" /></button>`}`;
}
