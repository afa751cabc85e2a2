/** In the account: which browsers tell their reader that a case waits, this one among them or not. */

import { ApiError, post } from "/shared/api.js";
import { clock, date, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { ability, endListening, listenHere, readListeners } from "/desk/push-here.js";

/** @typedef {import("/desk/push-here.js").Known} Known */
/** @typedef {import("/desk/push-here.js").Listener} Listener */

/** @param {number} ms */
const day = (ms) => `${date(ms)} ${clock(ms)}`;

export function AlertsHere() {
  const [known, setKnown] = useState(/** @type {Known | null} */ (null));
  const [can, setCan] = useState(ability());
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState({ good: true, text: "" });
  const read = () => readListeners().then(setKnown, () => undefined);
  useEffect(() => void read(), []);

  /** @param {() => Promise<unknown>} work @param {string} done what to say after it */
  async function attempt(work, done = "") {
    setBusy(true);
    setSaid({ good: true, text: "" });
    try {
      await work();
      setSaid({ good: true, text: done });
    } catch (error) {
      setSaid({ good: false, text: error instanceof ApiError ? error.sentence : t("alerts.failed") });
    }
    await read();
    setCan(ability());
    setBusy(false);
  }

  if (!known?.key) return null;
  return html`<section class="alerts-here"><h3>${t("alerts.title")}</h3>
    <p class="soft small">${t("alerts.what")}</p>
    ${known.here ? "" : html`<${SwitchOn} can=${can} busy=${busy} act=${() => attempt(() => listenHere(known.key))} />`}
    ${said.text ? html`<p class=${said.good ? "soft small" : "field-error"} role="status">${said.good ? "" : html`<${Icon} name="circle-alert" />`}${said.text}</p>` : ""}
    <ul class="sessions">${known.browsers.map((one) => html`<${One} key=${one.number} one=${one} here=${one === known.here} busy=${busy}
      tryOut=${() => attempt(() => post(`/api/push/${one.number}/trial`), t("alerts.tried"))}
      end=${() => attempt(() => endListening(one, one === known.here))} />`)}</ul>
  </section>`;
}

/** @param {{ can: import("/desk/push-here.js").Ability, busy: boolean, act: () => void }} props */
function SwitchOn({ can, busy, act }) {
  if (can !== "able") return html`<p class="soft small">${t(`alerts.${can}`)}</p>`;
  return html`<p><button type="button" class="button" disabled=${busy} onClick=${act}>${t("alerts.on")}</button></p>`;
}

/** @param {{ one: Listener, here: boolean, busy: boolean, tryOut: () => void, end: () => void }} props */
function One({ one, here, busy, tryOut, end }) {
  return html`<li>
    <span><b dir="auto">${one.browser || t("sessions.unknown")}</b>
      <span class="soft small">${here ? t("alerts.here") : t("alerts.since", { time: day(one.created_ms) })}</span></span>
    <span class="alerts-acts">
      <button type="button" class="button" disabled=${busy} onClick=${tryOut}>${t("alerts.try")}</button>
      <button type="button" class="button" disabled=${busy} onClick=${end}>${t("alerts.off")}</button></span>
  </li>`;
}
