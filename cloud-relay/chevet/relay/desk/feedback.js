/** What the worker thought of an answer, as they touched it at the kiosk: one of three faces. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";

/** @typedef {import("/shared/types.js").Message} Message */

const FACES = /** @type {Record<string, { icon: string, kind: string }>} */ ({
  good: { icon: "smile", kind: "ok" }, fair: { icon: "meh", kind: "attention" }, bad: { icon: "frown", kind: "bad" },
});

/** @param {{ message: Message }} props */
export function FeedbackCard({ message }) {
  const face = FACES[message.text];
  return html`<article class="said said-feedback">
    <header><${Icon} name=${face?.icon ?? "circle"} /><h3>${t("feedback.from_site")}</h3><span class="soft">${message.author.name}</span></header>
    <p class="chips">${face && html`<span class=${`chip chip-${face.kind}`}><${Icon} name=${face.icon} />${t(`feedback.${message.text}`)}</span>`}</p>
  </article>`;
}
