/** Where a sent study is. "Received" is only said once the other end has proved it. */

import { get, post } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { VoiceOf } from "/shared/voice-note.js";
import { readCases } from "/kiosk/actions.js";
import { attempt } from "/kiosk/attempt.js";
import { Road, since } from "/kiosk/delivery.js";
import { Button, Chip, Hint, Main, Page } from "/kiosk/parts.js";
import { apart } from "/kiosk/people.js";
import { whatText } from "/kiosk/recording-row.js";
import { Speak } from "/kiosk/screens/speak.js";
import { Escalation } from "/kiosk/screens/escalation.js";
import { go } from "/kiosk/route.js";
import { useKiosk } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").FullCase} FullCase */
/** @typedef {import("/shared/types.js").Message} Message */

/** Everything the box holds about a case, read again whenever its state moves. @param {string} id @returns {FullCase | null} */
export function useCase(id) {
  const { cases } = useKiosk();
  const brief = cases.find((one) => one.id === id);
  const [full, setFull] = useState(/** @type {FullCase | null} */ (null));
  useEffect(() => {
    attempt(() => get(`/api/cases/${id}`)).then((answer) => answer && setFull(answer));
  }, [id, brief?.state, brief?.unread, brief?.retakes.length, brief?.said]);
  return full && { ...full, ...brief };
}

/** @param {{ id: string }} props */
export function CasePage({ id }) {
  const one = useCase(id);
  const { status } = useKiosk();
  useEffect(() => {
    readCases();
  }, []);
  const answered = Boolean(one?.opinions.length);
  // Words of the specialist are read where they stand; an answer is read on its own page.
  const seen = Boolean(one?.unread) && !answered && Boolean(one?.messages.length);
  useEffect(() => {
    if (seen) attempt(() => post(`/api/cases/${id}/read`)).then(readCases);
  }, [seen]);
  if (!one) return html`<main class="page waiting"><${Icon} name="loader" size="48px" /><p>${t("app.loading")}</p></main>`;
  const asked = one.retakes[0];
  const home = html`<${Button} go=${() => go("start")}>${t("case.home")}<//>`;
  return html`<${Page} title=${asked ? t("delivery.retake.title") : t(`delivery.${one.state}.title`)} class="case-page"
    step=${html`<bdi>${apart(one.initials)}</bdi> · ${t(`specialty.${one.specialty}`)} · ${since(one.created_ms)}`}
    extra=${asked ? html`${home}${answered && html`<${Button} go=${() => go(`case/${id}/answer`)} icon="mail-open">${t("case.read")}<//>`}` : answered && home}
    main=${mainOf(id, asked, answered)}
    note=${one.urgency !== "routine" && html`<${Chip} kind=${one.urgency === "emergency" ? "bad" : "attention"} icon="circle-alert">${t(`urgency.${one.urgency}`)}<//>`}>
    <${Road} one=${one} />
    <${Escalation} one=${one} />
    ${one.refused && html`<${Hint} kind="bad" title=${t("case.refused")}>${t("case.refused.help", { phone: status?.site.phone ?? "" })}<//>`}
    ${!one.refused && one.state === "on_box" && status?.uplink.state === "offline" && html`<${Hint} kind="info" icon="wifi-off" title=${t("case.offline")}>${t("case.offline.help")}<//>`}
    ${one.messages.map((message) => html`<${Word} message=${message} open=${one.retakes.includes(message.id)} key=${message.id} />`)}
    ${!one.refused && html`<${Speak} id=${id} />`}
  <//>`;
}

/** @param {string} id @param {string | undefined} asked a request still to be met @param {boolean} answered */
function mainOf(id, asked, answered) {
  if (asked) return html`<${Main} go=${() => go(`again/${id}/${asked}`)} icon="rotate-ccw">${t("again.go")}<//>`;
  if (answered) return html`<${Main} go=${() => go(`case/${id}/answer`)} icon="mail-open">${t("case.read")}<//>`;
  return html`<${Main} go=${() => go("start")} icon="house">${t("case.home")}<//>`;
}

/** A note, or a request to record again: open until a visit that meets it was sent. @param {{ message: Message, open: boolean }} props */
function Word({ message, open }) {
  const retake = message.kind === "retake";
  const own = !message.author.specialty; // what a worker said from here
  const title = retake ? t("case.retake", { what: whatText(message) }) : html`<bdi>${message.author.name}</bdi>`;
  return html`<${Hint} kind=${own ? "info" : open || !retake ? "attention" : "ok"} icon=${own ? "mic" : retake ? (open ? "rotate-ccw" : "check") : "mail-open"} title=${title}>
    <bdi>${message.text}</bdi><${VoiceOf} voice=${message.voice} path=${`/api/cases/${message.case}`} />${retake && !open ? ` · ${t("again.met")}` : ""}<//>`;
}
