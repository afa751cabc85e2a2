/** When an answer is due, who was asked, and what was put off: the same words in every list. */

import { clock, date, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { word } from "/desk/say.js";
import { useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").InboxCase} InboxCase */

const DAY_MS = 86_400_000;

/** @param {number} ms a moment: the hour, with the day where it is another one */
export function moment(ms) {
  const far = Math.abs(ms - Date.now()) > DAY_MS || new Date(ms).getDate() !== new Date().getDate();
  return far ? `${date(ms, { day: "numeric", month: "short" })} ${clock(ms)}` : clock(ms);
}

/** @param {{ one: Pick<InboxCase, "state" | "due_ms"> }} props */
export function DueText({ one }) {
  if (!one.due_ms || one.state === "answered") return null;
  const late = Date.now() > one.due_ms;
  const time = { time: moment(one.due_ms) };
  return html`<span class=${`chip ${late ? "chip-bad" : ""}`}><${Icon} name="timer" />${late ? t("due.late", time) : t("due.by", time)}</span>`;
}

/** Whom this case waits for, and until when it was put off. @param {{ one: Pick<InboxCase, "state" | "allocated_to" | "claimed_by" | "snoozed"> }} props */
export function AskedText({ one }) {
  const { user } = useDesk();
  if (one.state === "answered") return null;
  const off = one.snoozed && one.snoozed.until_ms > Date.now() ? one.snoozed : null;
  const asked = one.claimed_by ? null : one.allocated_to;
  return html`${asked ? html`<span class=${`chip ${asked.id === user?.id ? "chip-attention" : ""}`}><${Icon} name="user" />${asked.id === user?.id ? t("due.for_you") : t("due.for", { name: asked.name })}</span>` : ""}
    ${off ? html`<span class="chip" title=${word("snooze", off.why)}><${Icon} name="pause" />${t("due.off", { time: moment(off.until_ms) })}</span>` : ""}`;
}
