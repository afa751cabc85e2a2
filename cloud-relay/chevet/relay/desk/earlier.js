/** Earlier visits of the same patient: read when somebody wants to compare, and kept while the case is open. */

import { ApiError, get } from "/shared/api.js";
import { date, t } from "/shared/i18n.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Failure } from "/desk/say.js";
import { now, set, useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").EarlierVisit} EarlierVisit */
/** @typedef {import("/desk/types.js").DeskCase} DeskCase */

/** @param {DeskCase} one @returns {{visits: EarlierVisit[] | null, code: string, again: () => void}} null while they are read */
export function useEarlier(one) {
  const { earlier, user } = useDesk();
  const guest = user?.role === "expert"; // an invitation opens one visit
  const [code, setCode] = useState("");
  const mine = earlier?.of === one.id ? earlier.visits : null;
  const read = () => {
    setCode("");
    get(`/api/cases/${one.id}/earlier`).then(
      ({ visits }) => now().route.id === one.id && set({ earlier: { of: one.id, visits } }),
      (error) => setCode(error instanceof ApiError ? (error.code === "not_allowed" ? "invited_only" : error.code) : "other"),
    );
  };
  useEffect(() => {
    if (!mine && !guest) read();
  }, [one.id]);
  return { visits: mine, code: guest ? "invited_only" : code, again: read };
}

/** Which earlier visit to show, among those that have what is wanted. @param {{ one: DeskCase, has: (visit: EarlierVisit) => boolean, none: string, children: (visit: EarlierVisit) => any }} props */
export function Earlier({ one, has, none, children }) {
  const { visits, code, again } = useEarlier(one);
  const [chosen, setChosen] = useState("");
  if (code) return html`<${Failure} code=${code} again=${again} />`;
  if (!visits) return html`<p class="soft" role="status">${t("loading")}</p>`;
  const fitting = visits.filter(has);
  const visit = fitting.find((each) => each.id === chosen) ?? fitting[0];
  if (!visit) return html`<p class="soft earlier-none">${none}</p>`;
  return html`<section class="earlier" aria-label=${t("earlier.title")}>
    <div class="earlier-head"><span class="chip chip-attention">${t("earlier.title")}</span>
      <div class="chips" role="group" aria-label=${t("earlier.choose")}>${fitting.map((each) => html`<button type="button" class="chip" key=${each.id} aria-pressed=${each === visit} onClick=${() => setChosen(each.id)}>${date(each.closed_ms)}</button>`)}</div></div>
    ${children(visit)}
  </section>`;
}
