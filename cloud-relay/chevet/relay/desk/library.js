/** The teaching library: cases without who they were, searched by their words; what waits for a second pair of eyes. */

import { get } from "/shared/api.js";
import { date, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { LessonPage } from "/desk/lesson.js";
import { Blank, Failure, word } from "/desk/say.js";
import { useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").Lesson} Lesson */

/** A patient may withdraw consent while the page is open: it is gone from here well within a minute. */
export const AGAIN_MS = 20_000;

export function Library() {
  const { route } = useDesk();
  return route.id ? html`<${LessonPage} id=${route.id} key=${route.id} />` : html`<${Shelf} />`;
}

function Shelf() {
  const { inboxAt, talks } = useDesk();
  const [lessons, setLessons] = useState(/** @type {Lesson[] | null} */ (null));
  const [problem, setProblem] = useState("");
  const [sought, setSought] = useState("");
  const [specialty, setSpecialty] = useState("");
  const read = () => get("/api/teaching").then((found) => { setLessons(found.lessons); setProblem(""); }, (error) => setProblem(error.code));
  useEffect(() => {
    void read();
    const timer = setInterval(read, AGAIN_MS);
    return () => clearInterval(timer);
  }, [inboxAt, talks]);
  if (problem && !lessons) return html`<main class="page"><${Failure} code=${problem} again=${read} /></main>`;
  if (!lessons) return html`<main class="page" aria-busy="true"><p role="status">${t("loading")}</p></main>`;
  const fitting = lessons.filter((one) => (!specialty || one.specialty === specialty) && holds(one, sought));
  const waiting = fitting.filter((one) => one.state === "waiting");
  const listed = fitting.filter((one) => one.state === "listed");
  const specialties = [...new Set(lessons.map((one) => one.specialty))];
  return html`<main class="page page-wide"><h1>${t("bar.library")}</h1><p class="soft">${t("library.what")}</p>
    <div class="library-find"><label>${t("library.find")}<input type="search" value=${sought} onInput=${(/** @type {any} */ e) => setSought(e.target.value)} /></label>
      <label>${t("duty.specialty")}<select value=${specialty} onChange=${(/** @type {any} */ e) => setSpecialty(e.target.value)}><option value="">${t("library.every")}</option>${specialties.map((code) => html`<option key=${code} value=${code}>${word("specialty", code)}</option>`)}</select></label></div>
    ${waiting.length ? html`<section aria-labelledby="library-waiting"><h2 id="library-waiting">${t("library.waiting")}</h2><ul class="library">${waiting.map((one) => html`<${Card} key=${one.id} one=${one} />`)}</ul></section>` : ""}
    ${listed.length ? html`<ul class="library">${listed.map((one) => html`<${Card} key=${one.id} one=${one} />`)}</ul>`
      : html`<${Blank} icon="graduation-cap" title=${lessons.length ? t("library.nothing_found") : t("library.none")} text=${lessons.length ? t("library.nothing_found_more") : t("library.none_more")} />`}
  </main>`;
}

/** Words in any order, without accents and capitals. @param {Lesson} one @param {string} sought */
function holds(one, sought) {
  const text = plain([one.title, one.question, word("specialty", one.specialty), word("visit_reason", one.reason)].join(" "));
  return plain(sought).split(/\s+/).every((part) => text.includes(part));
}

/** @param {string} text */
function plain(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
}

/** Sex and age in a band: all that is left of who it was. @param {{ one: Lesson }} props */
export function Whose({ one }) {
  const { sex, band } = one.patient;
  return html`<span>${[sex ? t(`sex.${sex}`) : "", word("specialty", one.specialty), word("visit_reason", one.reason)].filter(Boolean).join(" · ")}${band ? html` · <bdi dir="ltr">${band}</bdi> ${t("lesson.years")}` : ""}</span>`;
}

/** @param {{ one: Lesson }} props */
function Card({ one }) {
  return html`<li><a class="card lesson-card" href=${`#/library/${one.id}`}>
    <b dir="auto">${one.title}</b>${one.simulated ? html`<span class="htest">HTEST</span>` : ""}
    <span class="soft"><${Whose} one=${one} /></span>
    <span class="lesson-question" dir="auto">${one.question}</span>
    <span class="row-chips">${one.steps.map((step) => html`<span class="chip" key=${step}>${word("step", step)}</span>`)}
      ${one.state === "waiting" ? html`<span class="chip chip-attention"><${Icon} name="eye" />${one.approves ? t("library.approve_it") : t("library.for_a_colleague")}</span>` : ""}</span>
    <span class="soft small">${t("library.by", { name: one.added_by.name, date: date(one.added_ms) })}</span>
  </a></li>`;
}
