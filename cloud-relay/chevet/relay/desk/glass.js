/** Emergency access: a coordinator opens one case for some minutes; an auditor looks at each time. */

import { get, post } from "/shared/api.js";
import { clock, date, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { readCase } from "/desk/actions.js";
import { Blank, Failure } from "/desk/say.js";
import { set, useDesk } from "/desk/store.js";

/** @typedef {{number: number, case: string, user: string, reason: string, from_ms: number, until_ms: number, reviewed_by: string}} Broken */

const REASONS = ["life_at_risk", "nobody_reachable", "wrong_patient_suspected", "safety_review"];

/** What a coordinator sees in the place of a case that is not theirs to read. @param {{ id: string }} props */
export function BreakGlass({ id }) {
  const [why, setWhy] = useState("");
  const open = () => post(`/api/cases/${id}/glass`, { reason: why }).then(() => readCase(id), (error) => set({ trouble: error.sentence }));
  return html`<div class="blank glass-ask"><span class="blank-icon"><${Icon} name="lock" size="34px" /></span><h2>${t("glass.closed")}</h2>
    <p class="soft">${t("glass.what")}</p>
    <div class="people-choice" role="radiogroup" aria-label=${t("glass.reason")}>${REASONS.map((code) => html`<label key=${code} class="person"><input type="radio" name="glass" value=${code} checked=${why === code} onChange=${() => setWhy(code)} /><span>${t(`glass.${code}`)}</span></label>`)}</div>
    <button type="button" class="button button-main" disabled=${!why} onClick=${open}><${Icon} name="eye" />${t("glass.open")}</button>
    <p class="soft small">${t("glass.recorded")}</p>
    <button type="button" class="button button-quiet" onClick=${() => set({ dialog: "talk", talkOf: id, talkSealed: false })}><${Icon} name="users" />${t("talk.open")}</button></div>`;
}

export function Glass() {
  const { user } = useDesk();
  const [found, setFound] = useState(/** @type {Broken[] | null} */ (null));
  const [problem, setProblem] = useState("");
  const read = () => get("/api/glass").then((answer) => { setFound(answer.broken); setProblem(""); }, (error) => setProblem(error.code));
  useEffect(() => void read(), []);
  const review = (/** @type {number} */ number) => post(`/api/glass/${number}/review`).then(read, (error) => set({ trouble: error.sentence }));
  if (problem && !found) return html`<main class="page"><${Failure} code=${problem} again=${read} /></main>`;
  if (!found) return html`<main class="page" aria-busy="true"><p role="status">${t("loading")}</p></main>`;
  return html`<main class="page"><h1>${t("bar.glass")}</h1><p class="soft">${t("glass.list")}</p>
    ${found.length ? html`<ul class="letters">${found.map((one) => html`<li class="card letter" key=${one.number}>
        <span class=${one.reviewed_by ? "letter-icon letter-done" : "letter-icon"}><${Icon} name=${one.reviewed_by ? "shield-check" : "triangle-alert"} /></span>
        <div><h2>${t(`glass.${one.reason}`)}</h2><p>${t("glass.by", { user: one.user, from: `${date(one.from_ms)} ${clock(one.from_ms)}`, until: clock(one.until_ms) })}</p>
          <p class="soft small"><bdi dir="ltr" class="mono">${one.case}</bdi></p>
          ${one.reviewed_by ? html`<p class="soft small">${t("glass.reviewed", { user: one.reviewed_by })}</p>`
            : user?.role === "auditor" ? html`<button type="button" class="button" onClick=${() => review(one.number)}><${Icon} name="check" />${t("glass.review")}</button>` : html`<p class="soft small">${t("glass.unreviewed")}</p>`}</div></li>`)}</ul>`
      : html`<${Blank} icon="shield-check" title=${t("glass.none")} text=${t("glass.none_more")} />`}</main>`;
}
