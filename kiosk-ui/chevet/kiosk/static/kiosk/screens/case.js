/** Where a sent study is. "Received" is only said once the other end has proved it. */

import { get } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { readCases } from "/kiosk/actions.js";
import { attempt } from "/kiosk/attempt.js";
import { Road, since } from "/kiosk/delivery.js";
import { Button, Chip, Hint, Main, Page } from "/kiosk/parts.js";
import { apart } from "/kiosk/people.js";
import { whatText } from "/kiosk/recording-row.js";
import { go } from "/kiosk/route.js";
import { useKiosk } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").FullCase} FullCase */

/** Everything the box holds about a case, read again whenever its state moves. @param {string} id @returns {FullCase | null} */
export function useCase(id) {
  const { cases } = useKiosk();
  const brief = cases.find((one) => one.id === id);
  const [full, setFull] = useState(/** @type {FullCase | null} */ (null));
  useEffect(() => {
    attempt(() => get(`/api/cases/${id}`)).then((answer) => answer && setFull(answer));
  }, [id, brief?.state, brief?.unread]);
  return full && { ...full, ...brief };
}

/** @param {{ id: string }} props */
export function CasePage({ id }) {
  const one = useCase(id);
  const { status } = useKiosk();
  useEffect(() => {
    readCases();
  }, []);
  if (!one) return html`<main class="page waiting"><${Icon} name="loader" size="48px" /><p>${t("app.loading")}</p></main>`;
  const answered = one.opinions.length > 0;
  return html`<${Page} title=${t(`delivery.${one.state}.title`)} class="case-page"
    step=${html`<bdi>${apart(one.initials)}</bdi> · ${t(`specialty.${one.specialty}`)} · ${since(one.created_ms)}`}
    extra=${answered && html`<${Button} go=${() => go("start")}>${t("case.home")}<//>`}
    main=${answered
      ? html`<${Main} go=${() => go(`case/${id}/answer`)} icon="mail-open">${t("case.read")}<//>`
      : html`<${Main} go=${() => go("start")} icon="house">${t("case.home")}<//>`}
    note=${one.urgency !== "routine" && html`<${Chip} kind=${one.urgency === "emergency" ? "bad" : "attention"} icon="circle-alert">${t(`urgency.${one.urgency}`)}<//>`}>
    <${Road} one=${one} />
    ${one.refused && html`<${Hint} kind="bad" title=${t("case.refused")}>${t("case.refused.help", { phone: status?.site.phone ?? "" })}<//>`}
    ${!one.refused && one.state === "on_box" && status?.uplink.state === "offline" && html`<${Hint} kind="info" icon="wifi-off" title=${t("case.offline")}>${t("case.offline.help")}<//>`}
    ${one.messages.map((message) => html`<${Hint} kind="attention" icon=${message.kind === "retake" ? "rotate-ccw" : "mail-open"} key=${message.id}
      title=${message.kind === "retake" ? t("case.retake", { what: whatText(message) }) : html`<bdi>${message.author.name}</bdi>`}><bdi>${message.text}</bdi><//>`)}
  <//>`;
}
