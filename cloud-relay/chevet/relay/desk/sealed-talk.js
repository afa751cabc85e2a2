/** Discussions of a sealed case: appointment, invitations and attendance; what is said stays out of the relay. */

import { get } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { moment } from "/desk/due.js";
import { set, useDesk } from "/desk/store.js";
import { CloseTalk } from "/desk/talk-close.js";
import { Attendance, InviteMore, OpenTalk } from "/desk/talk-people.js";
import { StateChip } from "/desk/talk-state.js";

/** @typedef {import("/desk/types.js").Discussion} Discussion */

/** @param {{ id: string, mine: boolean }} props `mine`: one has claimed the case */
export function SealedTalk({ id, mine }) {
  const { dialog, trouble, talkTurn } = useDesk();
  const [found, setFound] = useState(/** @type {Discussion[]} */ ([]));
  const read = () => get(`/api/cases/${id}/discussions`).then((answer) => setFound(answer.discussions), (error) => set({ trouble: error.sentence }));
  useEffect(() => void read(), [id, talkTurn]);
  const live = found.some((one) => one.state === "planned" || one.state === "running");
  if (!mine && !found.length) return null;
  return html`<section class="sealed-card"><h2>${t("pane.talk")}</h2><p class="soft">${t("talk.sealed")}</p>
    ${trouble ? html`<p class="field-error" role="alert">${trouble}</p>` : ""}
    ${found.map((it) => html`<article class="sealed-part" key=${it.id}><div class="sealed-row"><${StateChip} it=${it} /><b>${t("talk.at", { time: moment(it.starts_ms) })}</b></div>
      <${Attendance} it=${it} here=${`/api/cases/${id}/discussions/${it.id}`} lead=${it.you.lead} again=${read} />
      ${it.you.lead ? html`<${InviteMore} it=${it} here=${`/api/cases/${id}/discussions/${it.id}`} again=${read} />` : ""}
      ${it.you.close ? html`<${CloseTalk} it=${it} here=${`/api/cases/${id}/discussions/${it.id}`} again=${read} />` : ""}</article>`)}
    ${mine && !live ? html`<button type="button" class="button" onClick=${() => set({ dialog: "talk", talkOf: id, talkSealed: true })}><${Icon} name="users" />${t("talk.open")}</button>` : ""}
    ${dialog === "talk" ? html`<${OpenTalk} />` : ""}</section>`;
}
