/** The account: where one is signed in, and how to end what is not oneself. */

import { get, remove } from "/shared/api.js";
import { clock, date, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Dialog } from "/desk/dialog.js";
import { AlertsHere } from "/desk/alerts-here.js";
import { Contact } from "/desk/contact.js";
import { ChangePassword } from "/desk/own-password.js";
import { Passkeys } from "/desk/passkeys.js";
import { KeptDevices } from "/desk/kept-devices.js";
import { useDesk } from "/desk/store.js";

/** @typedef {{id: string, browser: string, created_ms: number, seen_ms: number, ends_ms: number, current: boolean}} Session */

export function Account() {
  const { user, status } = useDesk();
  const [sessions, setSessions] = useState(/** @type {Session[] | null} */ (null));
  const [problem, setProblem] = useState("");
  const read = () => get("/api/sessions").then((answer) => setSessions(answer.sessions), (error) => setProblem(error.sentence));
  useEffect(() => void read(), []);
  /** @param {string} path */
  const end = (path) => remove(path).then(read, (error) => setProblem(error.sentence));
  const others = sessions?.filter((one) => !one.current) ?? [];
  return html`<${Dialog} title=${user?.name ?? ""}>
    <p class="soft">${status?.second_factor === "off" ? t("factor.off") : t("factor.on")}</p>
    <${ChangePassword} />
    <${Passkeys} />
    <${Contact} />
    <${AlertsHere} />
    <h3>${t("sessions.title")}</h3>
    ${problem ? html`<p class="field-error" role="alert"><${Icon} name="circle-alert" />${problem}</p>` : ""}
    <ul class="sessions">${sessions?.map((one) => html`<li key=${one.id}>
      <span><b dir="auto">${one.browser || t("sessions.unknown")}</b>
        <span class="soft small">${one.current ? t("sessions.this") : t("sessions.seen", { time: `${date(one.seen_ms)} ${clock(one.seen_ms)}` })}</span></span>
      ${one.current ? "" : html`<button type="button" class="button" onClick=${() => end(`/api/sessions/${one.id}`)}>${t("sessions.end")}</button>`}
    </li>`)}</ul>
    ${others.length > 1 ? html`<div class="dialog-foot"><button type="button" class="button" onClick=${() => end("/api/sessions")}>${t("sessions.end_all")}</button></div>` : ""}
    <${KeptDevices} failed=${setProblem} />
  <//>`;
}
