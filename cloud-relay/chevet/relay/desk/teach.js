/** Taking a case into the teaching library: texts are reviewed, pictures looked at, sounds listened to, one by one. */

import { get, post } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Dialog } from "/desk/dialog.js";
import { go } from "/desk/route.js";
import { Failure, word } from "/desk/say.js";
import { set, useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {import("/desk/types.js").Proposal} Proposal */
/** @typedef {Proposal["items"][number]} Item */
/** @typedef {"" | "taken" | "looked"} Tick */

const SPECIALTIES = ["cardiology", "dermatology", "ent", "general", "gynaecology-obstetrics", "internal-medicine", "nephrology", "paediatrics", "pneumology"];

/** @param {Item} one */
const keyOf = (one) => `${one.recording} ${one.kind} ${one.number}`;

export function Teach() {
  const { open } = useDesk();
  const [found, setFound] = useState(/** @type {Proposal | null} */ (null));
  const [problem, setProblem] = useState("");
  const read = () => get(`/api/cases/${open?.id}/teaching`).then(setFound, (error) => setProblem(error.code));
  useEffect(() => void read(), []);
  if (!open) return null;
  return html`<${Dialog} title=${t("teach.title")} look="dialog-wide">
    ${problem ? html`<${Failure} code=${problem} again=${read} />` : !found ? html`<p role="status">${t("loading")}</p>` : html`<${Body} one=${open} found=${found} />`}<//>`;
}

/** @param {{ one: DeskCase, found: Proposal }} props */
function Body({ one, found }) {
  const there = found.lessons[0];
  if (there) {
    const to = () => { set({ dialog: "" }); go(`library/${there.id}`); };
    return html`<p class="note"><${Icon} name="graduation-cap" /><span>${t("teach.there")}</span></p><div class="dialog-foot"><button type="button" class="button button-main" onClick=${to}>${t("bar.library")}</button></div>`;
  }
  if (!found.allowed) return html`<p class="note note-attention"><${Icon} name="hand" /><span>${t("export.no_consent")}</span></p>`;
  if (!found.whole) return html`<p class="note"><${Icon} name="truck" /><span>${t("export.not_yet")}</span></p>`;
  return html`<${Form} one=${one} found=${found} />`;
}

/** @param {{ one: DeskCase, found: Proposal }} props */
function Form({ one, found }) {
  const [words, setWords] = useState({ title: "", story: "", question: found.question, answer: found.answer, points: "" });
  const [specialty, setSpecialty] = useState(found.specialty);
  const [ticks, setTicks] = useState(/** @type {Record<string, Tick>} */ ({}));
  const [read, setRead] = useState(false);
  const [problem, setProblem] = useState("");
  const change = (/** @type {Partial<typeof words>} */ part) => { setRead(false); setWords({ ...words, ...part }); };
  const tick = (/** @type {Item} */ item, /** @type {Tick} */ how) => setTicks({ ...ticks, [keyOf(item)]: how });
  const taken = found.items.filter((item) => ticks[keyOf(item)]);
  const unseen = taken.some((item) => item.look && ticks[keyOf(item)] !== "looked");
  const lacks = !words.title.trim() || !words.question.trim() || !words.answer.trim() ? "words" : unseen ? "looked" : !read ? "read" : "";
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    const items = taken.map((item) => ({ recording: item.recording, kind: item.kind, number: item.number, looked: ticks[keyOf(item)] === "looked" }));
    const done = () => { set({ dialog: "" }); go("library"); };
    post(`/api/cases/${one.id}/teaching`, { ...words, specialty, points: words.points.split("\n"), items }).then(done, (error) => setProblem([error.sentence, error.field in words ? error.field === "title" ? t("teach.name") : t(`teach.${error.field}`) : ""].filter(Boolean).join(" ")));
  };
  return html`<p class="soft">${t("teach.what")}</p><form onSubmit=${send}>
    ${Object.entries(words).map(([name, value]) => html`<${Field} key=${name} name=${name} value=${value} change=${(/** @type {string} */ text) => change({ [name]: text })} />`)}
    <div class="field"><label for="teach-specialty">${t("duty.specialty")}</label><select id="teach-specialty" value=${specialty} onChange=${(/** @type {any} */ e) => setSpecialty(e.target.value)}>${SPECIALTIES.map((code) => html`<option key=${code} value=${code} selected=${code === specialty}>${word("specialty", code)}</option>`)}</select></div>
    <fieldset class="choice"><legend>${t("teach.items")}</legend><ul class="teach-items">${found.items.map((item) => html`<${Taken} key=${keyOf(item)} one=${one} item=${item} how=${ticks[keyOf(item)] ?? ""} tick=${tick} />`)}</ul></fieldset>
    <label class="person"><input type="checkbox" checked=${read} onChange=${() => setRead(!read)} /><span><b>${t("teach.read")}</b><span class="soft small">${t("teach.read_more")}</span></span></label>
    ${problem ? html`<p class="field-error" role="alert"><${Icon} name="circle-alert" />${problem}</p>` : ""}
    <div class="dialog-foot">${lacks ? html`<span class="field-note">${t(`teach.lacks_${lacks}`)}</span>` : ""}<button type="submit" class="button button-main" disabled=${Boolean(lacks)}><${Icon} name="graduation-cap" />${t("teach.do")}</button></div>
  </form>`;
}

/** @param {{ name: string, value: string, change: (text: string) => void }} props */
function Field({ name, value, change }) {
  const input = (/** @type {any} */ e) => change(e.target.value);
  return html`<div class="field"><label for=${`teach-${name}`}>${name === "title" ? t("teach.name") : t(`teach.${name}`)}</label>${name === "title"
    ? html`<input id=${`teach-${name}`} dir="auto" maxlength="200" value=${value} onInput=${input} />`
    : html`<textarea id=${`teach-${name}`} rows=${name === "answer" ? 4 : 2} dir="auto" maxlength="4000" value=${value} onInput=${input}></textarea>`}</div>`;
}

/** One thing to show: a picture is looked at here, a sound heard here, before it can be taken. @param {{ one: DeskCase, item: Item, how: Tick, tick: (item: Item, how: Tick) => void }} props */
function Taken({ one, item, how, tick }) {
  const recording = one.recordings.find((each) => each.id === item.recording);
  if (!recording) return null;
  const here = `/api/cases/${one.id}/recordings/${item.recording}`;
  const name = [word("step", recording.step), recording.site, recording.side ? t(`ear.${recording.side}`) : "", t(`teach.kind_${item.kind}`), item.kind === "picture" ? item.number + 1 : ""].filter(Boolean).join(" · ");
  return html`<li><label><input type="checkbox" checked=${Boolean(how)} onChange=${() => tick(item, how ? "" : "taken")} /> ${name}</label>
    ${how && item.kind === "picture" ? html`<img src=${`${here}/pictures/${item.number}`} alt=${name} loading="lazy" />` : ""}
    ${how && item.kind === "clip" ? html`<img src=${`${here}/clip`} alt=${name} loading="lazy" />` : ""}
    ${how && item.kind === "sound" ? html`<audio controls preload="none" src=${`${here}/sound`} aria-label=${name}></audio>` : ""}
    ${how && item.look ? html`<label class="teach-look"><input type="checkbox" checked=${how === "looked"} onChange=${() => tick(item, how === "looked" ? "taken" : "looked")} /> <${Icon} name="triangle-alert" />${item.kind === "sound" ? t("teach.look_sound") : t("teach.look_picture")}</label>` : ""}</li>`;
}
