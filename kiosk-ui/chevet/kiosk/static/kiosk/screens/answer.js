/** The specialist's answer: what to do first, then the words, then who signed. */

import { post } from "/shared/api.js";
import { date, has, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { VoiceOf } from "/shared/voice-note.js";
import { readCases } from "/kiosk/actions.js";
import { attempt } from "/kiosk/attempt.js";
import { Button, Hint, Main, Page, Value } from "/kiosk/parts.js";
import { Patient } from "/kiosk/people.js";
import { go } from "/kiosk/route.js";
import { useCase } from "/kiosk/screens/case.js";
import { Feedback } from "/kiosk/screens/feedback.js";
import { PrintDialog } from "/kiosk/screens/paper.js";
import { useKiosk } from "/kiosk/store.js";
import { SayThis } from "/kiosk/voice.js";

/** @typedef {import("/shared/types.js").Opinion} Opinion */
/** @typedef {import("/shared/types.js").FullCase} FullCase */

/** @param {{ id: string }} props */
export function Answer({ id }) {
  const one = useCase(id);
  const [paper, choosePaper] = useState(false);
  const opinion = one && [...one.opinions].sort((a, b) => b.version - a.version)[0];
  if (!one || !opinion) return html`<main class="page waiting"><${Icon} name="loader" size="48px" /><p>${t("app.loading")}</p></main>`;
  const read = () =>
    attempt(async () => {
      if (one.unread) await post(`/api/cases/${id}/read`);
      await readCases();
      go("start");
    });
  return html`<${Page} title=${t("answer.title")} class="answer" back=${() => go(`case/${id}`)} backLabel=${t("answer.case")}
    step=${html`<${Patient} patient=${one.patient} /> · ${t(`visit_reason.${one.reason || "other"}`)}`}
    extra=${html`<${Button} go=${() => choosePaper(true)} icon="printer">${t("answer.print")}<//>`}
    main=${html`<${Main} go=${read} icon="check">${one.unread ? t("answer.read") : t("case.home")}<//>`}>
    ${!opinion.verified && html`<${Hint} kind="bad" title=${t("answer.unverified")}>${t("answer.unverified.help")}<//>`}
    <${Todo} opinion=${opinion} />
    <${Spoken} opinion=${opinion} id=${id} />
    <div class="answer-words">
      <section class="card"><h2>${t("answer.advice")}</h2><p class="answer-advice" dir="auto">${opinion.advice}</p></section>
      <section class="card"><h2>${t("answer.impression")} <span class="chip">${t(`certainty.${opinion.certainty}`)}</span></h2>
        <p dir="auto">${opinion.impression}</p>
        <p class="soft small answer-question">${t("answer.asked")} <bdi>${one.question}</bdi></p></section>
    </div>
    <${Medicines} opinion=${opinion} />
    <${Signature} opinion=${opinion} />
    ${opinion.verified && html`<${Feedback} one=${one} />`}
    <${Drafts} one=${one} />
    <p class="print-only small">${t("about.statement")}</p>
    ${paper && html`<${PrintDialog} first=${one.language} close=${() => choosePaper(false)} />`}
  <//>`;
}

/** Three pictures: move or stay, how fast, when again; the first two can be heard by who does not read. @param {{ opinion: Opinion }} props */
function Todo({ opinion }) {
  const when = opinion.follow_up_date ? date(Date.parse(`${opinion.follow_up_date}T12:00:00`)) : t("answer.no_follow_up");
  const where = t(opinion.transfer ? "answer.transfer" : "answer.stay");
  const fast = t(`urgency.${opinion.urgency}`);
  return html`<ul class="todo">
    <li class=${opinion.transfer ? "todo-bad" : "todo-ok"}><${Icon} name=${opinion.transfer ? "med/ambulance" : "house"} size="48px" /><b>${where}</b><${SayThis} text=${where} label=${t("voice.say", { what: where })} /></li>
    <li class=${`todo-${opinion.urgency}`}><${Icon} name=${opinion.urgency === "routine" ? "clock" : "triangle-alert"} size="48px" /><b>${fast}</b><${SayThis} text=${fast} label=${t("voice.say", { what: fast })} /></li>
    <li><${Icon} name="calendar" size="48px" /><span><span class="soft small">${t("answer.follow_up")}</span><b>${when}</b></span></li>
  </ul>`;
}

/** The same in the specialist's own voice, once its sound is here; unverified words have none. @param {{ opinion: Opinion, id: string }} props */
function Spoken({ opinion, id }) {
  if (!opinion.voice || !opinion.verified) return null;
  return html`<section class="answer-voice" aria-label=${t("answer.voice")}><${VoiceOf} voice=${opinion.voice} path=${`/api/cases/${id}`} label=${t("answer.voice")} /></section>`;
}

/** Chosen from what this site has. @param {{ opinion: Opinion }} props */
function Medicines({ opinion }) {
  if (!opinion.medicines?.length) return null;
  return html`<section class="card medicines"><h2>${t("answer.medicines")}</h2><ul>
    ${opinion.medicines.map(({ name, how }) => html`<li key=${name}><${Icon} name="pill" size="26px" /><b><bdi>${name}</bdi></b> <bdi>${how}</bdi></li>`)}
  </ul></section>`;
}

/** @param {{ opinion: Opinion }} props */
function Signature({ opinion }) {
  const { author } = opinion;
  return html`<p class="signature">
    <${Icon} name=${opinion.verified ? "badge-check" : "triangle-alert"} size="32px" />
    <span><b><bdi>${author.name}</bdi></b>${author.specialty && ` · ${t(`specialty.${author.specialty}`)}`}<br />
      <span class="soft small">${t("answer.signed", { when: date(opinion.signed_ms, { dateStyle: "long", timeStyle: "short" }) })} · ${opinion.verified ? t("answer.verified") : t("answer.unverified")}${opinion.version > 1 ? ` · ${t("answer.version", { n: opinion.version })}` : ""}</span></span>
  </p>`;
}

/** Numbers computed on this box stay drafts, beside the answer. @param {{ one: FullCase }} props */
function Drafts({ one }) {
  const drafts = one.recordings.flatMap(({ measurements }) => measurements).filter(({ value }) => value !== null);
  useKiosk();
  if (!drafts.length && !one.vitals.length) return null;
  return html`<details class="drafts" onToggle=${(/** @type {Event & { target: HTMLElement }} */ event) => event.target.scrollIntoView({ block: "end" })}><summary>${t("answer.numbers")}</summary><ul>
    ${one.vitals.map((vital) => html`<li><span class="soft">${t(`vital.${vital.kind}`)}</span> <${Value} value=${vital.value} unit=${vital.unit} /></li>`)}
    ${drafts.map(({ kind, value, unit, method }) => html`<li><span class="soft">${t(has(`measurement.${kind}`) ? `measurement.${kind}` : "measurement.other")}</span> <${Value} value=${value} unit=${unit} digits=${0} /> <span class="chip">${t("draft")}</span> <span class="soft small"><bdi>${method}</bdi></span></li>`)}
  </ul></details>`;
}
