/** The agenda: every discussion one opened or is invited to, what comes next first. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect } from "/shared/vendor/htm-preact/standalone.module.js";
import { readTalks } from "/desk/actions.js";
import { moment } from "/desk/due.js";
import { Blank, Failure, UrgencyChip, who, word } from "/desk/say.js";
import { useDesk } from "/desk/store.js";
import { CloseTalk } from "/desk/talk-close.js";
import { Attendance, InviteMore } from "/desk/talk-people.js";
import { StateChip } from "/desk/talk-state.js";

/** @typedef {import("/desk/types.js").AgendaTalk} AgendaTalk */

const LIVE = ["planned", "running"];

export function Talks() {
  const { talks, talksError } = useDesk();
  useEffect(() => void readTalks(), []);
  if (talksError && !talks) return html`<main class="page"><${Failure} code=${talksError} again=${readTalks} /></main>`;
  if (!talks) return html`<main class="page" aria-busy="true"><p role="status">${t("loading")}</p></main>`;
  const live = talks.filter((one) => LIVE.includes(one.state)).sort((a, b) => a.starts_ms - b.starts_ms);
  const over = talks.filter((one) => !LIVE.includes(one.state));
  return html`<main class="page"><h1>${t("talk.agenda")}</h1><p class="soft">${t("talk.agenda_what")}</p>
    ${live.length ? html`<ul class="agenda">${live.map((one) => html`<${Entry} key=${one.id} it=${one} />`)}</ul>` : html`<${Blank} icon="calendar" title=${t("talk.agenda_none")} text=${t("talk.agenda_none_more")} />`}
    ${over.length ? html`<h2>${t("talk.over")}</h2><ul class="agenda">${over.map((one) => html`<${Entry} key=${one.id} it=${one} />`)}</ul>` : ""}
  </main>`;
}

/** @param {{ it: AgendaTalk }} props */
function Entry({ it }) {
  const { user } = useDesk();
  const here = `/api/cases/${it.case}/discussions/${it.id}`;
  const invited = it.members.some((one) => one.id === user?.id && !one.left);
  const live = LIVE.includes(it.state);
  const reads = !it.sealed && (user?.role === "specialist" || (invited && live));
  const leads = it.opened_by.id === user?.id && !reads; // a coordinator leads from here: the case is not theirs to open
  const { about } = it;
  return html`<li class="card agenda-entry">
    <div class="agenda-when"><b>${moment(it.starts_ms)}</b><${StateChip} it=${it} />${it.new ? html`<span class="chip chip-attention"><${Icon} name="inbox" />${t("talk.new", { n: it.new })}</span>` : ""}</div>
    <div class="agenda-what"><h2>${about ? word("visit_reason", about.reason) : it.sealed ? t("talk.sealed_case") : t("talk.shut_case")}</h2>
      ${about ? html`<p class="soft">${[who(/** @type {any} */ ({ ...about, received_ms: it.opened_ms })), about.site.name, word("specialty", about.specialty)].filter(Boolean).join(" · ")}${about.simulated ? html` <span class="htest">HTEST</span>` : ""}</p><p class="row-chips"><${UrgencyChip} urgency=${about.urgency} /></p>` : ""}
      <p class="soft small">${t("talk.by", { name: it.opened_by.name })}</p>
      ${leads ? html`<${Attendance} it=${it} here=${here} lead=${live} again=${readTalks} />${live ? html`<${InviteMore} it=${it} here=${here} again=${readTalks} />` : ""}${it.state === "closed" ? "" : html`<${CloseTalk} it=${it} here=${here} again=${readTalks} />`}` : html`<p class="small">${it.members.filter((one) => !one.left).map((one) => one.name).join(", ")}</p>`}
      ${it.sealed ? html`<p class="note"><${Icon} name="lock" /><span>${t("talk.sealed")}</span></p><a class="button" href="/sealed.html">${t("bar.sealed")}</a>` : ""}</div>
    ${reads ? html`<a class=${`button ${live ? "button-main" : ""}`} href=${`#/case/${it.case}/talk`}><${Icon} name="arrow-right" />${t("talk.enter")}</a>` : ""}
  </li>`;
}
