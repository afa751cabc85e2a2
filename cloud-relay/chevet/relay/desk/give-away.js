/** What a specialist may do with a case but answer it: hand it over, or put it off with a reason. */

import { get, post } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { readInbox } from "/desk/actions.js";
import { Dialog } from "/desk/dialog.js";
import { moment } from "/desk/due.js";
import { useKept } from "/desk/kept-state.js";
import { now, set, useDesk } from "/desk/store.js";
import { word } from "/desk/say.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {import("/desk/types.js").Colleague} Colleague */

const REASONS = ["waiting_for_site", "waiting_for_retake", "waiting_for_colleague", "waiting_for_result", "later_today"];
const MINUTES = [30, 120, 480, 1440];

/** @param {{ one: DeskCase }} props */
export function GiveAway({ one }) {
  const { user } = useDesk();
  const { offline } = useKept();
  if (one.state === "answered" || offline) return null;
  const mine = one.claimed_by?.id === user?.id;
  const off = one.snoozed && one.snoozed.until_ms > Date.now() ? one.snoozed : null;
  return html`<div class="give-away">
    ${off ? html`<p class="soft small">${t("snooze.is", { time: moment(off.until_ms), why: word("snooze", off.why) })}</p>
      <button type="button" class="button button-quiet" onClick=${() => change("snooze", { minutes: 0, why: off.why })}><${Icon} name="play" />${t("snooze.wake")}</button>` : ""}
    ${mine ? html`<button type="button" class="button button-quiet" onClick=${() => set({ dialog: "hand-over" })}><${Icon} name="users" />${t("hand_over.title")}</button>` : ""}
    ${!off && one.urgency !== "emergency" && (mine || !one.claimed_by) ? html`<button type="button" class="button button-quiet" onClick=${() => set({ dialog: "snooze" })}><${Icon} name="pause" />${t("snooze.title")}</button>` : ""}
  </div>`;
}

/** @param {"snooze" | "handover"} what @param {unknown} body */
async function change(what, body) {
  const id = now().open?.id;
  try {
    const open = await post(`/api/cases/${id}/${what}`, body);
    if (now().route.id === id) set({ open, dialog: "" });
  } catch (error) {
    set({ trouble: /** @type {import("/shared/api.js").ApiError} */ (error).sentence, dialog: "" });
  }
  await readInbox();
}

export function HandOver() {
  const { user, open } = useDesk();
  const [people, setPeople] = useState(/** @type {Colleague[] | null} */ (null));
  const [to, setTo] = useState("");
  useEffect(() => void get("/api/colleagues").then((found) => setPeople(found.people), (error) => set({ trouble: error.sentence, dialog: "" })), []);
  const others = (people ?? []).filter((one) => one.id !== user?.id);
  const fits = (/** @type {Colleague} */ one) => Number(one.specialty === open?.specialty) * 2 + Number(one.on_call);
  const sorted = others.sort((a, b) => fits(b) - fits(a) || a.load - b.load);
  return html`<${Dialog} title=${t("hand_over.title")}>
    <p class="soft">${t("hand_over.what")}</p>
    ${people && !others.length ? html`<p>${t("hand_over.nobody")}</p>` : html`<div class="people-choice" role="radiogroup" aria-label=${t("hand_over.to")}>
      ${sorted.map((one) => html`<label key=${one.id} class="person"><input type="radio" name="to" value=${one.id} checked=${to === one.id} onChange=${() => setTo(one.id)} />
        <span><b>${one.name}</b><span class="soft small">${[word("specialty", one.specialty), one.on_call ? t("duty.on_call") : "", t("duty.load", { n: one.load })].filter(Boolean).join(" · ")}</span></span></label>`)}</div>`}
    <div class="dialog-foot"><button type="button" class="button button-main" disabled=${!to} onClick=${() => change("handover", { to })}><${Icon} name="send" />${t("hand_over.do")}</button></div>
  <//>`;
}

export function Snooze() {
  const [why, setWhy] = useState("");
  const [minutes, setMinutes] = useState(120);
  return html`<${Dialog} title=${t("snooze.title")}>
    <p class="soft">${t("snooze.what")}</p>
    <div class="people-choice" role="radiogroup" aria-label=${t("snooze.why")}>
      ${REASONS.map((code) => html`<label key=${code} class="person"><input type="radio" name="why" value=${code} checked=${why === code} onChange=${() => setWhy(code)} /><span>${t(`snooze.${code}`)}</span></label>`)}</div>
    <div class="choice-chips" role="group" aria-label=${t("snooze.until")}>
      ${MINUTES.map((one) => html`<button type="button" key=${one} class="button" aria-pressed=${minutes === one} onClick=${() => setMinutes(one)}>${t("snooze.until_time", { time: moment(Date.now() + one * 60_000) })}</button>`)}</div>
    <div class="dialog-foot"><button type="button" class="button button-main" disabled=${!why} onClick=${() => change("snooze", { minutes, why })}>${t("snooze.do")}</button></div>
  <//>`;
}
