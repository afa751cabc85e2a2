/** The end of a discussion: what was concluded, and who took part without writing. */

import { post } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { trouble } from "/desk/talk-comments.js";

/** @typedef {import("/desk/types.js").BareDiscussion} BareDiscussion */

/** @param {{ it: BareDiscussion, here: string, again: () => Promise<void> }} props */
export function CloseTalk({ it, here, again }) {
  const [conclusion, setConclusion] = useState("");
  const invited = it.members.filter((one) => !one.left);
  const [present, setPresent] = useState(/** @type {string[]} */ ([]));
  const there = (/** @type {BareDiscussion["members"][number]} */ one) => one.took_part || present.includes(one.id);
  const flip = (/** @type {string} */ id) => setPresent(present.includes(id) ? present.filter((one) => one !== id) : [...present, id]);
  const close = (/** @type {Event} */ event) => {
    event.preventDefault();
    post(`${here}/close`, { conclusion, present }).then(again, trouble);
  };
  return html`<details class="talk-close"><summary>${t("talk.close")}</summary><form class="answer-form" onSubmit=${close}>
    ${it.sealed ? "" : html`<div class="field"><label for=${`end-${it.id}`}>${t("talk.conclusion")}</label>
      <textarea id=${`end-${it.id}`} rows="3" dir="auto" maxlength="8000" placeholder=${t("talk.conclusion_hint")} value=${conclusion} onInput=${(/** @type {any} */ e) => setConclusion(e.target.value)}></textarea></div>`}
    <fieldset class="choice"><legend>${t("talk.present")}</legend><div class="talk-present">${invited.map((one) => html`<label key=${one.id}><input type="checkbox" checked=${there(one)} disabled=${one.took_part} onChange=${() => flip(one.id)} /> ${one.name}</label>`)}</div></fieldset>
    <p class="soft small">${t("talk.close_what")}</p>
    <button type="submit" class="button button-main"><${Icon} name="check" />${t("talk.close_do")}</button>
  </form></details>`;
}
