/** Who is invited to a discussion, who came and took part; inviting more; opening a discussion. */

import { get, post, remove } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { readTalks } from "/desk/actions.js";
import { Dialog } from "/desk/dialog.js";
import { moment } from "/desk/due.js";
import { word } from "/desk/say.js";
import { set, useDesk } from "/desk/store.js";
import { trouble } from "/desk/talk-comments.js";

/** @typedef {import("/desk/types.js").BareDiscussion} BareDiscussion */
/** @typedef {import("/desk/types.js").Member} Member */
/** @typedef {import("/desk/types.js").Expert} Expert */

const QUARTER_MS = 900_000;

/** @param {Pick<Expert, "role" | "specialty">} one */
function what(one) {
  return [one.specialty ? word("specialty", one.specialty) : "", one.role === "specialist" ? "" : word("role", one.role)].filter(Boolean).join(" · ");
}

/** How far somebody has come, three ways: word, shape, colour. @param {Member} one @returns {[string, string, string]} */
function attended(one) {
  if (one.left) return ["left", "x", ""];
  if (one.took_part) return ["part", "circle-check", "chip-ok"];
  return one.came_ms ? ["came", "eye", "chip-info"] : ["invited", "mail-open", ""];
}

/** @param {{ it: BareDiscussion, here: string, lead: boolean, again: () => Promise<void> }} props */
export function Attendance({ it, here, lead, again }) {
  const { user } = useDesk();
  const out = (/** @type {Member} */ one) => remove(`${here}/members/${one.id}`).then(again, trouble);
  return html`<section class="attendance" aria-label=${t("talk.people")}><h3>${t("talk.people")}</h3><ul>${it.members.map((one) => {
    const [code, icon, look] = attended(one);
    return html`<li key=${one.id}><span class="attendance-who"><b>${one.name}</b><span class="soft small">${what(one)}</span></span>
      <span class=${`chip ${look}`} title=${one.came_ms ? moment(one.came_ms) : ""}><${Icon} name=${icon} />${t(`talk.person_${code}`)}</span>
      ${lead && !one.left && one.id !== user?.id ? html`<button type="button" class="dialog-close" aria-label=${t("talk.uninvite", { name: one.name })} title=${t("talk.uninvite", { name: one.name })} onClick=${() => out(one)}><${Icon} name="x" /></button>` : ""}</li>`;
  })}</ul></section>`;
}

/** @returns {Expert[] | null} whom one may invite; null while they are read */
function useExperts() {
  const [people, setPeople] = useState(/** @type {Expert[] | null} */ (null));
  useEffect(() => void get("/api/experts").then((found) => setPeople(found.people), trouble), []);
  return people;
}

/** @param {{ it: BareDiscussion, here: string, again: () => Promise<void> }} props */
export function InviteMore({ it, here, again }) {
  const people = useExperts();
  const [chosen, setChosen] = useState("");
  const free = (people ?? []).filter((one) => !it.members.some((each) => each.id === one.id && !each.left));
  const invite = () => post(`${here}/members`, { user: chosen }).then(() => { setChosen(""); return again(); }, trouble);
  if (!free.length) return null;
  return html`<div class="talk-invite"><label class="visually-hidden" for=${`invite-${it.id}`}>${t("talk.invite")}</label>
    <select id=${`invite-${it.id}`} value=${chosen} onChange=${(/** @type {any} */ e) => setChosen(e.target.value)}><option value="">${t("talk.invite_whom")}</option>
      ${free.map((one) => html`<option key=${one.id} value=${one.id}>${[one.name, what(one)].filter(Boolean).join(" · ")}</option>`)}</select>
    <button type="button" class="button" disabled=${!chosen} onClick=${invite}><${Icon} name="user-plus" />${t("talk.invite")}</button></div>`;
}

/** The dialogue that opens a discussion. */
export function OpenTalk() {
  const { talkOf, talkSealed } = useDesk();
  const people = useExperts();
  const [starts, setStarts] = useState(local(Math.ceil(Date.now() / QUARTER_MS) * QUARTER_MS));
  const [questions, setQuestions] = useState("");
  const [invite, setInvite] = useState(/** @type {string[]} */ ([]));
  const [problem, setProblem] = useState("");
  const flip = (/** @type {string} */ id) => setInvite(invite.includes(id) ? invite.filter((one) => one !== id) : [...invite, id]);
  const open = (/** @type {Event} */ event) => {
    event.preventDefault();
    const done = () => { set({ dialog: "", talkTurn: Date.now() }); void readTalks(); };
    post(`/api/cases/${talkOf}/discussions`, { starts_ms: new Date(starts).getTime(), questions, invite }).then(done, (error) => setProblem(error.sentence));
  };
  return html`<${Dialog} title=${t("talk.open")} look="dialog-wide">
    <p class="soft">${t("talk.what")}</p>
    <form onSubmit=${open}>
      <div class="field"><label for="talk-starts">${t("talk.when")}</label><input id="talk-starts" type="datetime-local" required value=${starts} onInput=${(/** @type {any} */ e) => setStarts(e.target.value)} /></div>
      ${talkSealed ? html`<p class="note"><${Icon} name="lock" /><span>${t("talk.sealed")}</span></p>` : html`<div class="field"><label for="talk-questions">${t("talk.questions")}</label><textarea id="talk-questions" rows="3" dir="auto" maxlength="8000" placeholder=${t("talk.questions_hint")} value=${questions} onInput=${(/** @type {any} */ e) => setQuestions(e.target.value)}></textarea></div>`}
      <div class="people-choice" role="group" aria-label=${t("talk.invite")}>${people && !people.length ? html`<p>${t("talk.nobody")}</p>` : (people ?? []).map((one) => html`<label key=${one.id} class="person"><input type="checkbox" checked=${invite.includes(one.id)} onChange=${() => flip(one.id)} /><span><b>${one.name}</b><span class="soft small">${what(one)}</span></span></label>`)}</div>
      ${problem ? html`<p class="field-error" role="alert"><${Icon} name="circle-alert" />${problem}</p>` : ""}
      <div class="dialog-foot">${invite.length ? "" : html`<span class="field-note">${t("talk.choose_first")}</span>`}
        <button type="submit" class="button button-main" disabled=${!invite.length}><${Icon} name="send" />${t("talk.open_do")}</button></div>
    </form>
  <//>`;
}

/** A moment as a field of date and time wants it, by this machine's clock. @param {number} ms */
function local(ms) {
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
