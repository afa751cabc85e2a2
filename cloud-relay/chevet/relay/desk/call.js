/** The call beside the study: a button on the case, a strip while it lasts, and a voice note where it did not hold. */

import { PICTURE_FROM } from "/shared/call-media.js";
import { Since, Theirs } from "/shared/call-parts.js";
import { has, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { VoiceField } from "/shared/voice-note.js";
import { write } from "/desk/actions.js";
import { dismiss, hangUp, mute, ringAt, showPicture, useCall } from "/desk/call-state.js";
import { useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */

/** @param {{ one: DeskCase }} props */
export function CallButton({ one }) {
  const { state } = useCall();
  const { status } = useDesk();
  if (status?.sealing === "sealed") return null;
  return html`<button type="button" class="button button-quiet" disabled=${state !== "idle" && state !== "over"} onClick=${() => ringAt(one.id)}><${Icon} name="phone" />${t("call.begin")}</button>`;
}

/** @param {{ one: DeskCase }} props */
export function CallStrip({ one }) {
  const call = useCall();
  // Who leaves the case leaves the call: it is made beside an open study only.
  useEffect(() => () => {
    hangUp();
    dismiss();
  }, [one.id]);
  if (call.state === "idle" || call.case !== one.id) return null;
  if (call.state === "over") return html`<${Over} one=${one} reason=${call.reason} />`;
  const talks = call.state === "talking";
  return html`<section class="call-strip" aria-label=${t("call.title")}>
    <${Icon} name="phone" size="1.4em" /><b role="status">${talks && call.held ? t("call.held") : t(`call.state.${call.state}`, { site: one.site.name })}</b>
    ${talks ? html`<${Since} from=${call.since} />` : ""}
    <span class="call-hands">
      ${talks ? html`<button type="button" class="button" aria-pressed=${String(call.muted)} onClick=${() => mute(!call.muted)}><${Icon} name=${call.muted ? "volume-x" : "mic"} />${t(call.muted ? "call.unmute" : "call.mute")}</button>
        <${Picture} showing=${call.showing} rate=${call.held ? 0 : call.rate} show=${showPicture} />` : ""}
      <button type="button" class="button button-bad" onClick=${() => hangUp()}><${Icon} name="phone" />${t("call.end")}</button>
    </span>
    ${call.theirs ? html`<${Theirs} stream=${call.theirs} />` : ""}
  </section>`;
}

/** A picture only where the measured way carries it; why not, where it does not. @param {{ showing: boolean, rate: number | null, show: (on: boolean) => void }} props */
function Picture({ showing, rate, show }) {
  if (!showing && (rate ?? 0) < PICTURE_FROM) return html`<span class="soft small">${t("call.no_picture")}</span>`;
  return html`<button type="button" class="button" aria-pressed=${String(showing)} onClick=${() => show(!showing)}><${Icon} name="camera" />${t("call.picture")}</button>`;
}

/** Why it is over; the case stays open, and a voice note stands ready. @param {{ one: DeskCase, reason: string }} props */
function Over({ one, reason }) {
  const [voice, setVoice] = useState(/** @type {import("/shared/types.js").SpokenDraft | null} */ (null));
  const [sent, setSent] = useState(false);
  const send = async () => {
    if (!voice || !(await write({ kind: "note", step: "", site: "", side: "", text: "", voice: voice.text }))) return;
    setVoice(null);
    setSent(true);
  };
  const why = has(`call.over.${reason}`) ? t(`call.over.${reason}`) : t("call.over.lost");
  return html`<section class="call-strip call-over" aria-label=${t("call.title")}>
    <p role="status"><b>${why}</b> <span class="soft">${t("call.stays")}</span></p>
    ${sent ? html`<p class="note note-ok" role="status"><${Icon} name="circle-check" /><span>${t("message.sent", { site: one.site.name })}</span></p>` : html`<${VoiceField} path=${`/api/cases/${one.id}/voice`} voice=${voice} change=${setVoice} begin=${t("call.note")} />`}
    <span class="call-hands">
      ${voice ? html`<button type="button" class="button button-main" onClick=${send}><${Icon} name="send" />${t("message.send_note")}</button>` : ""}
      <button type="button" class="button button-quiet" onClick=${() => ringAt(one.id)}><${Icon} name="phone" />${t("call.again")}</button>
      <button type="button" class="button button-quiet" onClick=${dismiss}><${Icon} name="x" />${t("close")}</button>
    </span>
  </section>`;
}
