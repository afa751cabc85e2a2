/** The inbox by clock: what waits, how long, how urgent, how well it was recorded. */

import { age, t } from "/shared/i18n.js";
import { AskedText, DueText } from "/desk/due.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { openCase, readInbox } from "/desk/actions.js";
import { Blank, Failure, hue, QualityBadge, share, StateWord, UrgencyChip, who, word } from "/desk/say.js";
import { useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").InboxCase} InboxCase */

const TICK_MS = 20_000;
/** After these seconds a case of which no due time is known shows in the colour of what needs the hand now. */
const LATE_S = /** @type {Record<string, number>} */ ({ emergency: 120, urgent: 1800, routine: 86_400 });

export function Inbox() {
  const { inbox, inboxError, route, waiting } = useDesk();
  if (!inbox && inboxError) return html`<aside class="inbox"><${Failure} code=${inboxError} again=${readInbox} /></aside>`;
  if (!inbox) return html`<aside class="inbox" aria-busy="true"><${Ghosts} /></aside>`;
  const open = inbox.filter((one) => one.state !== "answered");
  const done = inbox.filter((one) => one.state === "answered");
  return html`<aside class="inbox" aria-label=${t("bar.inbox")}>
    <h2 class="inbox-title">${t("inbox.to_read", { n: Math.max(open.length, waiting) })}</h2>
    ${open.length ? html`<ul>${open.map((one) => html`<${Row} key=${one.id} one=${one} chosen=${route.id === one.id} />`)}</ul>` : html`<${Blank} icon="circle-check" title=${t("inbox.empty")} text=${t("inbox.empty_more")} />`}
    ${waiting > open.length ? html`<p class="inbox-more soft small">${t("inbox.more", { n: waiting - open.length })}</p>` : ""}
    ${done.length ? html`<h2 class="inbox-title">${t("inbox.answered", { n: done.length })}</h2><ul>${done.map((one) => html`<${Row} key=${one.id} one=${one} chosen=${route.id === one.id} />`)}</ul>` : ""}
  </aside>`;
}

/** While the first list is on its way. */
function Ghosts() {
  return html`<p class="visually-hidden" role="status">${t("loading")}</p><ul class="ghosts" aria-hidden="true">${[1, 2, 3, 4].map((n) => html`<li key=${n}><i></i><i></i></li>`)}</ul>`;
}

/** @param {{ one: InboxCase, chosen: boolean }} props */
function Row({ one, chosen }) {
  const seconds = useAge(one);
  const late = one.state !== "answered" && (one.due_ms ? Date.now() > one.due_ms : seconds > (LATE_S[one.urgency] ?? Infinity));
  const part = share(one.layers);
  return html`<li>
    <a class=${`row ${hue(one.id)} urgency-${one.urgency}${chosen ? " row-chosen" : ""}`} href=${`#/case/${one.id}`} aria-current=${chosen ? "true" : null}>
      <span class="row-top"><b class="row-reason">${word("visit_reason", one.reason)}</b><span class=${`row-age${late ? " row-late" : ""}`}>${age(seconds)}</span></span>
      <span class="row-who">${who(one)} · ${one.site.name}${one.simulated ? html` <span class="htest" title=${t("training")}>HTEST</span>` : ""}</span>
      <span class="row-chips"><${UrgencyChip} urgency=${one.urgency} /><${QualityBadge} score=${one.quality} usable=${one.usable} /><${DueText} one=${one} /><${AskedText} one=${one} /></span>
      <span class="row-foot"><${StateWord} one=${one} /><span class="soft">${[word("specialty", one.specialty), one.language ? word("spoken", one.language) : ""].filter(Boolean).join(" · ")}</span></span>
      ${part < 1 ? html`<span class="row-progress"><progress max="1" value=${part} aria-label=${t("arriving")}></progress><bdi dir="ltr">${Math.floor(part * 100)} %</bdi></span>` : ""}
    </a>
  </li>`;
}

/** The age goes on while the page is open. @param {InboxCase} one */
function useAge(one) {
  const { inboxAt } = useDesk();
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return one.age_s + (Date.now() - inboxAt) / 1000;
}

/** The empty table: what there is to do, and the one button that does it. */
export function InboxSummary() {
  const { inbox, user } = useDesk();
  if (!inbox) return html`<main class="table table-empty"></main>`; // the list itself says what it waits for
  const free = inbox.filter((one) => one.state === "waiting" || one.state === "arriving");
  const next = free.find((one) => one.specialty === user?.specialty) ?? free[0];
  return html`<main class="table table-empty">
    <${Blank} icon="med/stethoscope" title=${t("summary.title", { n: free.length })} text=${t("summary.text")}>
      ${next ? html`<button type="button" class="button button-main" onClick=${() => openCase(next.id)}><${Icon} name="arrow-right" />${t("summary.next", { reason: word("visit_reason", next.reason), who: who(next) })}</button>` : ""}
    </${Blank}>
  </main>`;
}
