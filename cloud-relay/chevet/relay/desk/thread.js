/** The conversation about the case: messages and opinions in the order of time, and the way of the data. */

import { clock, date, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { VoiceOf } from "/shared/voice-note.js";
import { FeedbackCard } from "/desk/feedback.js";
import { MedicineList } from "/desk/medicines.js";
import { Blank, UrgencyChip, word } from "/desk/say.js";
import { useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {import("/shared/types.js").Opinion} Opinion */
/** @typedef {import("/shared/types.js").Message} Message */

/** @param {{ one: DeskCase }} props */
export function Thread({ one }) {
  const { delivery } = useDesk();
  const said = [
    ...one.opinions.map((opinion) => ({ at: opinion.signed_ms, key: opinion.id, card: html`<${OpinionCard} opinion=${opinion} />` })),
    ...one.messages.map((message) => ({ at: message.at_ms, key: message.id, card: html`<${MessageCard} message=${message} />` })),
  ].sort((a, b) => a.at - b.at);
  return html`
    ${said.length ? html`<ol class="thread">${said.map(({ key, card }) => html`<li key=${key}>${card}</li>`)}</ol>` : html`<${Blank} icon="inbox" title=${t("thread.empty")} text=${t("thread.empty_more")} />`}
    <h2 class="pane-title">${t("thread.way")}</h2>
    <${Way} one=${one} delivery=${delivery} />`;
}

/** When something was said, and whether it, and its voice, reached the site. @param {{ at: number, id: string, voice?: import("/shared/types.js").Voice | null }} props */
export function Reached({ at, id, voice }) {
  const { delivery, open } = useDesk();
  const back = delivery?.back?.find((one) => one.id === id);
  const site = open?.site.name ?? "";
  const when = html`<span class="soft small">${date(at, { day: "numeric", month: "short" })} ${clock(at)}</span>`;
  const sound = voice && delivery?.back?.find((one) => one.id === voice.id);
  const heard = sound && html`<span class=${`chip ${sound.at_site_ms ? "chip-ok" : "chip-attention"}`}><${Icon} name="mic" />${sound.at_site_ms ? t("back.voice_there") : t("back.voice_travelling")}</span>`;
  if (!back) return html`<p class="reached">${when}</p>`;
  return html`<p class="reached">${when}${back.at_site_ms
    ? html`<span class="chip chip-ok"><${Icon} name="circle-check" />${t("back.there", { site, time: clock(back.at_site_ms) })}</span>`
    : html`<span class="chip chip-attention"><${Icon} name="truck" />${t("back.travelling", { site })}</span>`}${heard}</p>`;
}

/** @param {{ opinion: Opinion }} props */
export function OpinionCard({ opinion }) {
  const { author } = opinion;
  return html`<article class="said said-opinion">
    <header><${Icon} name="badge-check" /><h3>${t("opinion.title", { n: opinion.version })}</h3><span class="soft">${author.name}${author.specialty ? ` · ${word("specialty", author.specialty)}` : ""}</span></header>
    <p class="said-text"><bdi>${opinion.impression}</bdi></p>
    <p class="said-text"><bdi>${opinion.advice}</bdi></p>
    <${VoiceOf} voice=${opinion.verified ? opinion.voice : null} path=${`/api/cases/${opinion.case}`} />
    <${MedicineList} medicines=${opinion.medicines} />
    <p class="chips"><span class="chip">${word("certainty", opinion.certainty)}</span><${UrgencyChip} urgency=${opinion.urgency} />
      <span class=${`chip ${opinion.transfer ? "chip-bad" : ""}`}>${opinion.transfer ? t("transfer.yes") : t("transfer.no")}</span>
      ${opinion.follow_up_date ? html`<span class="chip">${t("opinion.follow_up", { date: date(Date.parse(opinion.follow_up_date)) })}</span>` : ""}
      ${opinion.verified ? html`<span class="chip chip-ok"><${Icon} name="shield-check" />${t("signature_ok")}</span>` : html`<span class="chip chip-bad"><${Icon} name="triangle-alert" />${t("signature_bad")}</span>`}</p>
    <${Reached} at=${opinion.signed_ms} id=${opinion.id} voice=${opinion.voice} />
  </article>`;
}

/** @param {{ message: Message }} props */
export function MessageCard({ message }) {
  if (message.kind === "feedback") return html`<${FeedbackCard} message=${message} />`;
  const place = [message.step ? word("step", message.step) : "", message.site, message.side ? t(`ear.${message.side}`) : ""].filter(Boolean).join(" · ");
  return html`<article class=${`said said-${message.kind}`}>
    <header><${Icon} name=${message.kind === "retake" ? "rotate-ccw" : "mail-open"} /><h3>${message.kind === "retake" ? t("message.retake_of", { place }) : t("message.note")}</h3><span class="soft">${message.author.name}</span></header>
    ${message.text ? html`<p class="said-text"><bdi>${message.text}</bdi></p>` : ""}
    <${VoiceOf} voice=${message.verified ? message.voice : null} path=${`/api/cases/${message.case}`} />
    <${Reached} at=${message.at_ms} id=${message.id} voice=${message.voice} />
  </article>`;
}

/** How the study came here. @param {{ one: DeskCase, delivery: import("/desk/types.js").Delivery | null }} props */
function Way({ one, delivery }) {
  if (!delivery) return html`<p class="soft">${t("loading")}</p>`;
  /** @type {[string, number | null | undefined][]} */
  const stops = [
    [t("way.closed"), one.closed.wall_ms],
    [t("way.summary"), delivery.layers_ms["0"]],
    [t("way.preview"), delivery.layers_ms["1"]],
    [t("way.diagnostic"), delivery.layers_ms["2"]],
    [t("way.lossless"), delivery.layers_ms["3"]],
    [t("way.complete"), delivery.complete_ms],
  ];
  return html`<ol class="way">${stops.map(([name, at]) => html`<li key=${name} class=${at ? "way-done" : "way-open"}><${Icon} name=${at ? "circle-check" : "circle-dashed"} /><span>${name}</span><span class="soft">${at ? clock(at) : t("way.not_yet")}</span></li>`)}</ol>
    ${delivery.sha256 ? html`<details class="origin"><summary>${t("way.hash")}</summary><bdi dir="ltr" class="mono">${delivery.sha256}</bdi></details>` : ""}`;
}
