/** One account: made with a first password to hand over, changed, shut out, helped back in. */

import { post, put } from "/shared/api.js";
import { clock, date, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Dialog } from "/desk/dialog.js";
import { State } from "/desk/programme-people.js";
import { useProof } from "/desk/proof-first.js";
import { word } from "/desk/say.js";
import { useDesk } from "/desk/store.js";

/** @typedef {import("/desk/programme.js").Known} Known */
/** @typedef {import("/desk/programme.js").Person} Person */
/** @typedef {import("/desk/passkey.js").Proof} Proof */
/** @typedef {{id: string, password?: string, until_ms?: number}} Given */

const EMPTY = { id: "", name: "", role: "specialist", specialty: "", languages: ["fr"] };

/** What is kept of the words: a specialty of those alone who answer cases. @template {{role: string, specialty: string}} T @param {T} words @param {Known} known @returns {T} */
const fit = (words, known) => ({ ...words, specialty: known.answering.includes(words.role) ? words.specialty : "" });

/** @param {{ known: Known, closed: () => void }} props */
export function NewPerson({ known, closed }) {
  const [words, setWords] = useState(EMPTY);
  const [given, setGiven] = useState(/** @type {Given | null} */ (null));
  const { attempt, asked, problem, busy } = useProof();
  const make = (/** @type {Event} */ event) => {
    event.preventDefault();
    void attempt(async (proof) => setGiven(await post("/api/programme/people", { ...fit(words, known), ...proof })));
  };
  const form = html`<form onSubmit=${make}>
    <div class="field"><label for="person-id">${t("user")}</label>
      <input id="person-id" dir="ltr" autocapitalize="none" autocomplete="off" spellcheck=${false} required pattern="[A-Za-z0-9][A-Za-z0-9._\\-]*" maxlength="64" aria-describedby="person-id-how" value=${words.id} onInput=${(/** @type {any} */ e) => setWords({ ...words, id: e.target.value.trim() })} />
      <p id="person-id-how" class="field-note">${t("programme.id_how")}</p></div>
    <div class="field"><span class="label" id="person-role">${t("programme.role")}</span>
      <div class="people-choice" role="radiogroup" aria-labelledby="person-role">${known.roles.map((role) => html`<label key=${role} class="person"><input type="radio" name="role" value=${role} checked=${words.role === role} onChange=${() => setWords({ ...words, role })} /><span>${word("role", role)}<span class="soft small">${t(`programme.role_${role}`)}</span></span></label>`)}</div></div>
    <${Words} known=${known} words=${words} change=${(/** @type {Partial<typeof EMPTY>} */ part) => setWords({ ...words, ...part })} />
    ${problem}<div class="dialog-foot"><button type="submit" class="button button-main" disabled=${busy || !words.languages.length}><${Icon} name="user-plus" />${t("programme.make")}</button></div></form>`;
  return html`<${Dialog} title=${t("programme.new_person")} closed=${closed}>${given ? html`<${First} given=${given} />` : asked || form}<//>`;
}

/** Name, specialty and languages, of a new account and of one that is there. @param {{ known: Known, words: {name: string, role: string, specialty: string, languages: string[]}, change: (part: any) => void }} props */
function Words({ known, words, change }) {
  const flip = (/** @type {string} */ code) => change({ languages: words.languages.includes(code) ? words.languages.filter((one) => one !== code) : [...words.languages, code] });
  return html`<div class="field"><label for="person-name">${t("duty.name")}</label>
      <input id="person-name" dir="auto" autocomplete="off" required maxlength="200" value=${words.name} onInput=${(/** @type {any} */ e) => change({ name: e.target.value })} /></div>
    ${known.answering.includes(words.role) ? html`<div class="field"><label for="person-specialty">${t("duty.specialty")}</label>
      <select id="person-specialty" required=${words.role === "specialist"} value=${words.specialty} onChange=${(/** @type {any} */ e) => change({ specialty: e.target.value })}>
        <option value="">${t("programme.choose")}</option>${known.specialties.map(({ code }) => html`<option key=${code} value=${code}>${word("specialty", code)}</option>`)}</select></div>` : ""}
    <div class="field"><span class="label" id="person-languages">${t("duty.languages")}</span>
      <div class="choice-chips" role="group" aria-labelledby="person-languages">${known.languages.map((code) => html`<button type="button" class="chip-button" key=${code} aria-pressed=${words.languages.includes(code)} onClick=${() => flip(code)}>${word("spoken", code)}</button>`)}</div></div>`;
}

/** A password to hand over: it is nowhere else. @param {{ given: Given }} props */
function First({ given }) {
  return html`<p>${t("programme.first", { id: `\u2068${given.id}\u2069` })}</p>
    <p class="first-password" role="status"><bdi dir="ltr">${given.password}</bdi></p>
    <p class="note note-attention"><${Icon} name="triangle-alert" /><span>${t("programme.first_once", { date: `${date(given.until_ms ?? 0)} ${clock(given.until_ms ?? 0)}` })}</span></p>`;
}

/** @param {{ known: Known, one: Person, closed: () => void, again: () => void }} props */
export function OnePerson({ known, one, closed, again }) {
  const { user } = useDesk();
  const [words, setWords] = useState({ name: one.name, role: one.role, specialty: one.specialty, languages: one.languages });
  const [given, setGiven] = useState(/** @type {Given | null} */ (null));
  const [sure, setSure] = useState("");
  const [said, setSaid] = useState("");
  const { attempt, asked, problem, busy } = useProof();
  const { role, ...kept } = fit(words, known);
  const save = (/** @type {Event} */ event) => {
    event.preventDefault();
    void attempt((proof) => put(`/api/programme/people/${one.id}`, { ...kept, ...proof }).then(closed));
  };
  const act = (/** @type {string} */ what) => attempt(async (proof) => {
    const answer = await post(`/api/programme/people/${one.id}/acts`, { what, ...proof });
    setSure("");
    setSaid(what);
    if (answer.password) setGiven(answer);
    again();
  });
  const acts = one.disabled ? ["enable"] : ["sign_out", "unlock", "forget_factor", "give_password", "disable"];
  return html`<${Dialog} title=${one.name} closed=${closed}>
    ${given ? html`<${First} given=${given} />` : asked || html`
    <p class="row-chips"><bdi dir="ltr" class="mono">${one.id}</bdi> <span class="chip">${word("role", role)}</span><${State} one=${one} /></p>
    <form onSubmit=${save}><${Words} known=${known} words=${words} change=${(/** @type {Partial<typeof words>} */ part) => setWords({ ...words, ...part })} />
      ${problem}<div class="dialog-foot"><button type="submit" class="button button-main" disabled=${busy || !words.languages.length}>${t("programme.save")}</button></div></form>
    ${one.id === user?.id ? html`<p class="soft small">${t("programme.yourself")}</p>` : html`<section class="acts" aria-labelledby="acts"><h3 id="acts">${t("programme.help")}</h3>
      ${said ? html`<p class="note note-ok" role="status"><${Icon} name="circle-check" /><span>${t(`programme.did_${said}`)}</span></p>` : ""}
      <ul class="sessions">${acts.map((what) => html`<li key=${what}><span class="small">${t(`programme.what_${what}`)}</span>
        ${sure === what ? html`<button type="button" class="button button-bad" disabled=${busy} onClick=${() => act(what)}>${t("programme.really")}</button>` : html`<button type="button" class="button" disabled=${busy} onClick=${() => setSure(what)}>${t(`programme.do_${what}`)}</button>`}</li>`)}</ul></section>`}`}
  <//>`;
}
