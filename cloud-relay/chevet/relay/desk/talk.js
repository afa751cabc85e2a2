/** Discussions of the open case: appointment, questions, who is there, what is said, the conclusion. */

import { get } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { readTalks } from "/desk/actions.js";
import { moment } from "/desk/due.js";
import { Blank, Failure } from "/desk/say.js";
import { draftOf, set, setDraft, useDesk } from "/desk/store.js";
import { Comments, Writing } from "/desk/talk-comments.js";
import { CloseTalk } from "/desk/talk-close.js";
import { Attendance, InviteMore } from "/desk/talk-people.js";
import { StateChip } from "/desk/talk-state.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {import("/desk/types.js").Discussion} Discussion */

/** @param {{ one: DeskCase }} props */
export function Talk({ one }) {
  const { user, talkTurn } = useDesk();
  const [found, setFound] = useState(/** @type {Discussion[] | null} */ (null));
  const [problem, setProblem] = useState("");
  const read = () => get(`/api/cases/${one.id}/discussions`).then((answer) => { setFound(answer.discussions); setProblem(""); }, (error) => setProblem(error.code));
  useEffect(() => void read(), [one, talkTurn]); // the case is read again whenever somebody says something
  useEffect(() => void readTalks(), [found?.length]);
  if (problem && !found) return html`<div class="meanwhile"><${Failure} code=${problem} again=${read} /></div>`;
  if (!found) return html`<p role="status">${t("loading")}</p>`;
  const live = found.some((each) => each.state === "planned" || each.state === "running");
  const mine = user?.role === "specialist" && one.claimed_by?.id === user.id;
  return html`<div class="talks">
    ${found.length ? "" : html`<${Blank} icon="users" title=${t("talk.none")} text=${t("talk.none_more")} />`}
    ${live ? "" : mine
      ? html`<button type="button" class="button button-main talk-begin" onClick=${() => set({ dialog: "talk", talkOf: one.id, talkSealed: false })}><${Icon} name="users" />${t("talk.open")}</button>`
      : user?.role === "specialist" ? html`<p class="note"><${Icon} name="info" /><span>${t("talk.claim_first")}</span></p>` : ""}
    ${found.map((each) => html`<${Card} key=${each.id} one=${one} it=${each} again=${read} />`)}
  </div>`;
}

/** @param {{ one: DeskCase, it: Discussion, again: () => Promise<void> }} props */
function Card({ one, it, again }) {
  const here = `/api/cases/${one.id}/discussions/${it.id}`;
  return html`<article class="card talk">
    <header class="talk-head"><${StateChip} it=${it} /><h2>${t("talk.at", { time: moment(it.starts_ms) })}</h2><span class="soft">${t("talk.by", { name: it.opened_by.name })}</span></header>
    ${it.questions ? html`<div class="talk-questions"><h3>${t("talk.questions")}</h3><p class="said-text"><bdi>${it.questions}</bdi></p></div>` : ""}
    <${Attendance} it=${it} here=${here} lead=${it.you.lead} again=${again} />
    ${it.you.lead ? html`<${InviteMore} it=${it} here=${here} again=${again} />` : ""}
    <${Comments} it=${it} here=${here} again=${again} />
    ${it.conclusion ? html`<${Conclusion} one=${one} it=${it} />` : ""}
    ${it.you.write ? html`<${Writing} it=${it} here=${here} again=${again} key=${it.id} />` : ""}
    ${it.you.close ? html`<${CloseTalk} it=${it} here=${here} again=${again} />` : ""}
    ${it.state === "lapsed" ? html`<p class="soft small">${t("talk.lapsed")}</p>` : ""}
  </article>`;
}

/** What was concluded; who answers the case may take it into the answer. @param {{ one: DeskCase, it: Discussion }} props */
function Conclusion({ one, it }) {
  const { user } = useDesk();
  const mine = one.claimed_by?.id === user?.id;
  const take = () => {
    const { impression } = draftOf(one.id);
    setDraft(one.id, { impression: [impression.trim(), it.conclusion].filter(Boolean).join("\n") });
    set({ side: "answer" });
    document.querySelector(".answer")?.scrollIntoView();
  };
  return html`<div class="talk-conclusion"><h3><${Icon} name="badge-check" />${t("talk.conclusion")}</h3><p class="said-text"><bdi>${it.conclusion}</bdi></p>
    ${mine ? html`<button type="button" class="button" onClick=${take}><${Icon} name="arrow-right" />${t("talk.take_over")}</button>` : ""}</div>`;
}
