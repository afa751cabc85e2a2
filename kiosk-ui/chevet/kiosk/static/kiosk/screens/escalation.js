/**
 * An emergency that nobody has opened: after two minutes the screen asks for the telephone, and says it again. The limit is that
 * of the telestroke programme this follows ("escalation if unread in 2 min"); a network never replaces the call.
 */

import { age, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { boxNow, useKiosk } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Case} Case */

export const UNREAD_TOO_LONG_MS = 2 * 60_000;
const LOOK_EVERY_MS = 5000;

/** @param {Case} one */
export function isOverdue(one) {
  return one.urgency === "emergency" && !["opened", "answered"].includes(one.state) && boxNow() - one.created_ms > UNREAD_TOO_LONG_MS;
}

/** Look at the clock now and then while the screen is open. */
export function useTicking() {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
}

/** @param {{ one: Case }} props */
export function Escalation({ one }) {
  const phone = useKiosk().status?.site.phone || "141";
  useTicking();
  if (!isOverdue(one)) return null;
  return html`<div class="hint hint-bad escalation" role="alert"><${Icon} name="phone" size="1.8em" />
    <div><b>${t("escalate.title")}</b><p>${t("escalate.help", { age: age((boxNow() - one.created_ms) / 1000) })}</p></div>
    <bdi dir="ltr" class="call-number">${phone}</bdi></div>`;
}
