/** The coordinator's room: who is asked to answer what waits, what reached nobody, who is on call. */

import { get, post } from "/shared/api.js";
import { age, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { readInbox } from "/desk/actions.js";
import { DueText } from "/desk/due.js";
import { OnCall } from "/desk/on-call.js";
import { Blank, Failure, hue, StateWord, UrgencyChip, who, word } from "/desk/say.js";
import { set, useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").InboxCase} InboxCase */
/** @typedef {import("/desk/types.js").Colleague} Colleague */
/** @typedef {{people: Colleague[], proposals: Record<string, {id: string, why: string[]}[]>, failed: {case: string, step: string, to: string, problem: string, at_ms: number}[], automatic: boolean}} Queue */

export function Duty() {
  const { inbox, inboxAt } = useDesk();
  const [queue, setQueue] = useState(/** @type {Queue | null} */ (null));
  const [problem, setProblem] = useState("");
  const read = () => get("/api/allocation").then((found) => { setQueue(found); setProblem(""); }, (error) => setProblem(error.code));
  useEffect(() => void read(), [inboxAt]); // whatever changed the inbox may change who is free
  if (problem && !queue) return html`<main class="page"><${Failure} code=${problem} again=${read} /></main>`;
  if (!queue || !inbox) return html`<main class="page" aria-busy="true"><p role="status">${t("loading")}</p></main>`;
  const open = inbox.filter((one) => one.state !== "answered" && !one.claimed_by);
  return html`<main class="page page-wide">
    <h1>${t("duty.title")}</h1>
    <p class="soft">${queue.automatic ? t("duty.automatic") : t("duty.what")}</p>
    <${Lost} failed=${queue.failed} />
    ${open.length
      ? html`<ul class="duty-list">${open.map((one) => html`<${Ask} key=${one.id} one=${one} queue=${queue} again=${read} />`)}</ul>`
      : html`<${Blank} icon="circle-check" title=${t("duty.none")} text=${t("duty.none_more")} />`}
    <${People} people=${queue.people} />
    <${OnCall} people=${queue.people} changed=${read} />
  </main>`;
}

/** Alerts that reached nobody: the one thing here that cannot wait. @param {{ failed: Queue["failed"] }} props */
function Lost({ failed }) {
  if (!failed.length) return null;
  const cases = new Set(failed.map((one) => one.case)).size;
  return html`<div class="note note-bad" role="alert"><${Icon} name="triangle-alert" /><span><b>${t("duty.lost", { n: cases })}</b> ${t("duty.lost_more")}
    ${[...new Set(failed.map((one) => one.problem))].map((code) => html` <span class="chip" key=${code}>${word("alert_problem", code)}</span>`)}</span></div>`;
}

/** One case and whom to ask. @param {{ one: InboxCase, queue: Queue, again: () => void }} props */
function Ask({ one, queue, again }) {
  const best = queue.proposals[one.id] ?? [];
  const [chosen, setChosen] = useState(one.allocated_to?.id ?? best[0]?.id ?? "");
  const [busy, setBusy] = useState(false);
  const others = queue.people.filter((person) => !best.some((one) => one.id === person.id));
  const ask = async (/** @type {string | null} */ to) => {
    setBusy(true);
    await post(`/api/cases/${one.id}/allocation`, { to }).then(() => readInbox().then(again), (error) => set({ trouble: error.sentence }));
    setBusy(false);
  };
  const why = best.find((each) => each.id === chosen)?.why ?? [];
  return html`<li class=${`card duty-case ${hue(one.id)}`}>
    <div class="duty-what"><b class="row-reason">${word("visit_reason", one.reason)}</b>
      <span class="soft">${[who(one), one.site.name, word("specialty", one.specialty), word("spoken", one.language)].filter(Boolean).join(" · ")}</span>
      <span class="row-chips"><${UrgencyChip} urgency=${one.urgency} /><span class="chip"><${Icon} name="clock" />${age(one.age_s)}</span><${DueText} one=${one} /><${StateWord} one=${one} /></span></div>
    <div class="duty-ask">
      <label class="visually-hidden" for=${`ask-${one.id}`}>${t("duty.ask_whom")}</label>
      <select id=${`ask-${one.id}`} value=${chosen} onChange=${(/** @type {any} */ e) => setChosen(e.target.value)}>
        ${best.length ? html`<optgroup label=${t("duty.proposed")}>${best.map(({ id }) => html`<${Who} key=${id} person=${queue.people.find((p) => p.id === id)} />`)}</optgroup>` : html`<option value="">${t("duty.nobody_fits")}</option>`}
        ${others.length ? html`<optgroup label=${t("duty.others")}>${others.map((person) => html`<${Who} key=${person.id} person=${person} />`)}</optgroup>` : ""}
      </select>
      <span class="soft small">${why.map((code) => t(`duty.why_${code}`)).join(", ")}</span>
      ${one.allocated_to && chosen === one.allocated_to.id
        ? html`<span class="state"><${Icon} name="circle-check" />${t("duty.asked", { name: one.allocated_to.name })}</span>
          <button type="button" class="button button-quiet" disabled=${busy} onClick=${() => ask(null)}>${t("duty.unask")}</button>`
        : html`<button type="button" class="button button-main" disabled=${busy || !chosen} onClick=${() => ask(chosen)}><${Icon} name="send" />${t("duty.ask")}</button>`}
      <button type="button" class="button button-quiet" onClick=${() => set({ dialog: "talk", talkOf: one.id, talkSealed: false })}><${Icon} name="users" />${t("talk.open")}</button>
    </div>
  </li>`;
}

/** @param {{ person: Colleague | undefined }} props */
function Who({ person }) {
  if (!person) return null;
  const more = [word("specialty", person.specialty), person.on_call ? t("duty.on_call") : "", t("duty.load", { n: person.load })];
  return html`<option value=${person.id}>${person.name} · ${more.filter(Boolean).join(" · ")}</option>`;
}

/** @param {{ people: Colleague[] }} props */
function People({ people }) {
  return html`<section class="duty-people" tabindex="0" aria-labelledby="duty-people"><h2 id="duty-people">${t("duty.people")}</h2>
    <table class="plain"><thead><tr><th>${t("duty.name")}</th><th>${t("duty.specialty")}</th><th>${t("duty.languages")}</th><th>${t("duty.now")}</th><th>${t("duty.waiting")}</th></tr></thead>
      <tbody>${people.map((one) => html`<tr key=${one.id}><td><b>${one.name}</b></td><td>${word("specialty", one.specialty)}</td>
        <td>${one.languages.map((code) => word("spoken", code)).join(", ")}</td><td>${one.on_call ? html`<span class="chip chip-ok"><${Icon} name="phone" />${t("duty.on_call")}</span>` : "–"}</td><td>${one.load}</td></tr>`)}</tbody></table></section>`;
}
