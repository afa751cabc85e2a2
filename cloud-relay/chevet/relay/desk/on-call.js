/** The calendar of who is on call. */

import { get, post, remove } from "/shared/api.js";
import { clock, date, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { word } from "/desk/say.js";

/** @typedef {import("/desk/types.js").Colleague} Colleague */
/** @typedef {{number: number, user: {id: string, name: string}, specialty: string, from_ms: number, until_ms: number}} Time */

const DAY = /** @type {Intl.DateTimeFormatOptions} */ ({ weekday: "short", day: "numeric", month: "short" });
const HOUR_MS = 3_600_000;

/** @param {{ people: Colleague[], changed: () => void }} props */
export function OnCall({ people, changed }) {
  const [times, setTimes] = useState(/** @type {Time[] | null} */ (null));
  const [problem, setProblem] = useState("");
  const read = () => get("/api/on-call").then((found) => setTimes(found.times), (error) => setProblem(error.sentence));
  useEffect(() => void read(), []);
  const after = () => { setProblem(""); void read(); changed(); };
  const end = (/** @type {number} */ number) => remove(`/api/on-call/${number}`).then(after, (error) => setProblem(error.sentence));
  return html`<section aria-labelledby="on-call"><h2 id="on-call">${t("on_call.title")}</h2>
    ${problem ? html`<p class="field-error" role="alert"><${Icon} name="circle-alert" />${problem}</p>` : ""}
    ${times?.length
      ? html`<ul class="on-call">${times.map((one) => html`<li key=${one.number} class=${one.from_ms <= Date.now() ? "on-call-now" : ""}>
          <span><b>${one.user.name}</b> <span class="soft">${word("specialty", one.specialty)}</span></span>
          <bdi>${date(one.from_ms, DAY)} ${clock(one.from_ms)} – ${date(one.until_ms, DAY)} ${clock(one.until_ms)}</bdi>
          <button type="button" class="button button-quiet" onClick=${() => end(one.number)}>${t("on_call.remove")}</button></li>`)}</ul>`
      : html`<p class="soft">${t("on_call.none")}</p>`}
    <${Add} people=${people} done=${after} failed=${setProblem} />
  </section>`;
}

/** @param {{ people: Colleague[], done: () => void, failed: (sentence: string) => void }} props */
function Add({ people, done, failed }) {
  const [user, setUser] = useState("");
  const [from, setFrom] = useState(local(nextHour()));
  const [hours, setHours] = useState(12);
  const add = (/** @type {Event} */ event) => {
    event.preventDefault();
    const from_ms = new Date(from).getTime();
    post("/api/on-call", { user: user || people[0]?.id, from_ms, until_ms: from_ms + hours * HOUR_MS }).then(done, (error) => failed(error.sentence));
  };
  return html`<form class="on-call-add" onSubmit=${add}>
    <label>${t("on_call.who")}<select value=${user || people[0]?.id} onChange=${(/** @type {any} */ e) => setUser(e.target.value)}>${people.map((one) => html`<option key=${one.id} value=${one.id}>${one.name} · ${word("specialty", one.specialty)}</option>`)}</select></label>
    <label>${t("on_call.from")}<input type="datetime-local" required value=${from} onInput=${(/** @type {any} */ e) => setFrom(e.target.value)} /></label>
    <label>${t("on_call.hours")}<input type="number" min="1" max="168" required value=${hours} onInput=${(/** @type {any} */ e) => setHours(Number(e.target.value))} /></label>
    <button type="submit" class="button" disabled=${!people.length}><${Icon} name="plus" />${t("on_call.add")}</button>
  </form>`;
}

function nextHour() {
  return Math.ceil(Date.now() / HOUR_MS) * HOUR_MS;
}

/** A moment as a field of date and time wants it, by this machine's clock. @param {number} ms */
function local(ms) {
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
