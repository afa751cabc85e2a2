/** One lesson: the story, the recordings, the question; its answer when it is asked for. */

import { get, post, remove } from "/shared/api.js";
import { date, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { LessonParts } from "/desk/lesson-parts.js";
import { AGAIN_MS, Whose } from "/desk/library.js";
import { go } from "/desk/route.js";
import { Blank, Failure, Value, word } from "/desk/say.js";
import { set, useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").OpenLesson} OpenLesson */

const FORMS = ["dicom", "fhir", "wfdb", "edf", "wav"];

/** @param {{ id: string }} props */
export function LessonPage({ id }) {
  const { inboxAt, talks } = useDesk();
  const [one, setOne] = useState(/** @type {OpenLesson | null} */ (null));
  const [problem, setProblem] = useState("");
  const read = () => get(`/api/teaching/${id}`).then((found) => { setOne(found); setProblem(""); }, (error) => {
    if (error.code === "not_found") setOne(null); // taken down, or consent withdrawn: nothing of it stays on the screen
    setProblem(error.code);
  });
  useEffect(() => {
    void read();
    const timer = setInterval(read, AGAIN_MS);
    return () => clearInterval(timer);
  }, [id, inboxAt, talks]); // whatever changed at the relay may have been this consent
  if (problem === "not_found") return html`<main class="page"><${Blank} icon="graduation-cap" title=${t("lesson.gone")} text=${t("lesson.gone_more")}><a class="button button-main" href="#/library">${t("bar.library")}</a><//></main>`;
  if (problem && !one) return html`<main class="page"><${Failure} code=${problem} again=${read} /></main>`;
  if (!one) return html`<main class="page" aria-busy="true"><p role="status">${t("loading")}</p></main>`;
  return html`<main class="page page-wide lesson">
    <a class="link" href="#/library"><${Icon} name="arrow-left" />${t("bar.library")}</a>
    <header><h1 dir="auto">${one.title}</h1><p class="soft"><${Whose} one=${one} />${one.simulated ? html` <span class="htest">HTEST</span>` : ""}</p></header>
    ${one.state === "waiting" ? html`<p class="note note-attention"><${Icon} name="eye" /><span>${one.approves ? t("lesson.approve_what") : t("lesson.waits")}</span></p>` : ""}
    ${one.story ? html`<p class="said-text"><bdi>${one.story}</bdi></p>` : ""}
    ${one.vitals.length ? html`<ul class="lesson-vitals">${one.vitals.map((vital) => html`<li key=${vital.kind + vital.at_ms}><span class="soft">${word("vital", vital.kind)}</span> <${Value} value=${vital.value} unit=${vital.unit} /></li>`)}</ul>` : ""}
    <${LessonParts} one=${one} />
    <section class="lesson-ask" aria-labelledby="lesson-question"><h2 id="lesson-question">${t("lesson.question")}</h2><p class="said-text"><bdi>${one.question}</bdi></p><${Answer} one=${one} /></section>
    ${one.approves ? html`<${Approval} one=${one} again=${read} />` : ""}
    <${Foot} one=${one} />
  </main>`;
}

/** @param {{ one: OpenLesson }} props */
function Answer({ one }) {
  const [told, setTold] = useState(/** @type {{answer: string, points: string[]} | null} */ (null));
  useEffect(() => {
    if (one.state === "waiting") void ask(); // whoever approves it reads the answer too
  }, []);
  const ask = () => get(`/api/teaching/${one.id}/answer`).then(setTold, (error) => set({ trouble: error.sentence }));
  if (!told) return html`<button type="button" class="button button-main" onClick=${ask}><${Icon} name="eye" />${t("lesson.show")}</button>`;
  return html`<div class="lesson-answer" role="status"><h3>${t("lesson.answer")}</h3><p class="said-text"><bdi>${told.answer}</bdi></p>
    ${told.points.length ? html`<h3>${t("lesson.points")}</h3><ul class="lesson-points">${told.points.map((point) => html`<li key=${point}><bdi>${point}</bdi></li>`)}</ul>` : ""}</div>`;
}

/** The second pair of eyes, after all there is to see. @param {{ one: OpenLesson, again: () => Promise<void> }} props */
function Approval({ one, again }) {
  const approve = () => post(`/api/teaching/${one.id}/approve`).then(again, (error) => set({ trouble: error.sentence }));
  return html`<p><button type="button" class="button button-main" onClick=${approve}><${Icon} name="check" />${t("lesson.approve")}</button></p>`;
}

/** @param {{ one: OpenLesson }} props */
function Foot({ one }) {
  const { user } = useDesk();
  const [sure, setSure] = useState(false);
  const down = () => (sure ? remove(`/api/teaching/${one.id}`).then(() => go("library"), (error) => set({ trouble: error.sentence })) : setSure(true));
  return html`<footer class="lesson-foot"><span class="soft small">${t("library.by", { name: one.added_by.name, date: date(one.added_ms) })}${one.approved_by ? ` · ${t("lesson.approved_by", { name: one.approved_by.name })}` : ""}</span>
    ${user?.role === "specialist" ? html`<details class="origin"><summary>${t("export.title")}</summary><p class="chips">${FORMS.map((form) => html`<a class="chip" key=${form} download href=${`/api/teaching/${one.id}/export?form=${form}`}>${t(`export.${form}`)}</a>`)}</p></details>` : ""}
    ${user?.role === "expert" ? "" : html`<button type="button" class=${`button ${sure ? "button-danger" : "button-quiet"}`} onClick=${down}>${sure ? t("lesson.really_down") : t("lesson.down")}</button>`}</footer>`;
}
