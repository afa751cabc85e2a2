/** The specialist's call on the screen: who calls and about whom, take it or not; a strip while it lasts; a voice note after it. */

import { PICTURE_FROM } from "/shared/call-media.js";
import { Since, Theirs } from "/shared/call-parts.js";
import { has, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { dismissCall, hangUp, muteCall, showPicture, takeCall } from "/kiosk/call-state.js";
import { Button, Chip, Dialog, Hint } from "/kiosk/parts.js";
import { apart } from "/kiosk/people.js";
import { Speak } from "/kiosk/screens/speak.js";
import { useKiosk } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Call} Call */

export function CallScreen() {
  const { call, worker, callWay } = useKiosk();
  if (!call || !worker) return null;
  if (call.state === "over") return html`<${Over} call=${call} />`;
  if (call.state === "ringing" && !callWay) return html`<${Ringing} call=${call} />`;
  return html`<${Talking} call=${call} />`;
}

/** @param {{ call: Call }} props */
function Who({ call }) {
  const { name, specialty } = call.caller;
  return html`<span><b><bdi>${name}</bdi></b>${specialty && ` · ${t(`specialty.${specialty}`)}`}<br />
    <span class="soft">${t("ring.about")} <bdi>${apart(call.initials)}</bdi></span></span>`;
}

/** @param {{ call: Call }} props */
function Ringing({ call }) {
  return html`<${Dialog} title=${t("ring.title")} close=${() => hangUp("declined")} class="ring">
    <p class="ring-who"><${Icon} name="phone" size="48px" /><${Who} call=${call} /></p>
    <p class="ring-consent"><${Icon} name="hand-heart" size="32px" /><span>${t("ring.consent")}<br /><span class="soft small">${call.consent.includes("care") ? t("ring.consent.care") : t("ring.consent.none")} ${t("ring.unrecorded")}</span></span></p>
    <div class="dialog-foot"><${Button} go=${() => hangUp("declined")} icon="x">${t("ring.decline")}<//>
      <button class="button button-main main-button" onClick=${() => takeCall(call)}><${Icon} name="phone" />${t("ring.accept")}</button></div>
  <//>`;
}

/** While it lasts the worker goes on working: the strip stands above every screen. @param {{ call: Call }} props */
function Talking({ call }) {
  const { callWay, callMuted, callShows, callTheirs, callSince } = useKiosk();
  const talks = callWay === "talking" && call.state === "talking";
  const rate = call.held ? 0 : (call.rate ?? 0);
  return html`<section class="call-strip" aria-label=${t("ring.title")}>
    <${Icon} name="phone" size="1.5em" /><${Who} call=${call} />
    <b role="status">${call.held ? t("call.held") : t(talks ? "call.state.talking" : "call.state.connecting")}</b>
    ${talks && html`<${Since} from=${callSince} />`}
    <span class="call-hands">
      ${talks && html`<${Button} go=${() => muteCall(!callMuted)} icon=${callMuted ? "volume-x" : "mic"}>${t(callMuted ? "call.unmute" : "call.mute")}<//>`}
      ${talks && (callShows || rate >= PICTURE_FROM) && html`<${Button} go=${() => showPicture(!callShows)} icon="camera">${t("call.picture")}<//>`}
      <${Button} go=${() => hangUp()} icon="phone" class="button-bad">${t("call.end")}<//>
    </span>
    ${callTheirs && html`<${Theirs} stream=${callTheirs} />`}
  </section>`;
}

/** Why it is over, in words; the case stays open, and a voice note takes over where the voices did not hold. @param {{ call: Call }} props */
function Over({ call }) {
  if (["declined", "private"].includes(call.reason)) return null;
  const why = has(`call.over.${call.reason}`) ? t(`call.over.${call.reason}`) : t("call.over.lost");
  const calm = call.reason === "ended";
  return html`<section class="call-strip call-over" aria-label=${t("ring.title")}>
    <${Hint} kind=${calm ? "info" : "attention"} icon="phone" title=${why}>${t("call.stays")}<//>
    ${call.simulated && html`<${Chip}>HTEST<//>`}
    <span class="call-hands"><${Speak} id=${call.case} /><${Button} go=${dismissCall} icon="x">${t("do.close")}<//></span>
  </section>`;
}
