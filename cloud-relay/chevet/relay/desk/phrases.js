/** Phrases one writes often: some ready, others the reader's own, kept in this browser. */

import { has, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { useDesk } from "/desk/store.js";

/** @typedef {"impression" | "advice"} Field */

const MOST = 30;
const READY = 6;

/** @param {string} user @param {Field} field */
const keyOf = (user, field) => `chevet.phrases.${user}.${field}`;

/** @param {string} user @param {Field} field @returns {string[]} the reader's own */
function kept(user, field) {
  try {
    const found = JSON.parse(localStorage.getItem(keyOf(user, field)) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => typeof one === "string").slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/** @param {Field} field @returns {string[]} in the reader's language */
function ready(field) {
  const numbers = Array.from({ length: READY }, (_, n) => n + 1);
  return numbers.filter((n) => has(`phrase.${field}.${n}`)).map((n) => t(`phrase.${field}.${n}`));
}

/** @param {{ field: Field, text: string, change: (text: string) => void }} props */
export function Phrases({ field, text, change }) {
  const { user } = useDesk();
  const id = user?.id ?? "";
  const [own, setOwn] = useState(kept(id, field));
  const keep = (/** @type {string[]} */ phrases) => {
    localStorage.setItem(keyOf(id, field), JSON.stringify(phrases.slice(-MOST)));
    setOwn(kept(id, field));
  };
  const insert = (/** @type {string} */ phrase) => change(text.trim() ? `${text.trimEnd()}\n${phrase}` : phrase);
  const mine = text.trim();
  return html`<details class="phrases"><summary>${t("phrases.title")}</summary>
    <ul>${ready(field).map((phrase) => html`<li key=${phrase}><button type="button" class="phrase" onClick=${() => insert(phrase)}>${phrase}</button></li>`)}
      ${own.map((phrase) => html`<li key=${phrase}><button type="button" class="phrase" onClick=${() => insert(phrase)}><bdi>${phrase}</bdi></button>
        <button type="button" class="dialog-close" aria-label=${t("phrases.forget")} title=${t("phrases.forget")} onClick=${() => keep(own.filter((other) => other !== phrase))}><${Icon} name="x" /></button></li>`)}</ul>
    <button type="button" class="link" disabled=${!mine || own.includes(mine)} onClick=${() => keep([...own, mine])}><${Icon} name="plus" />${t("phrases.keep")}</button>
    <p class="soft small">${t("phrases.where")}</p></details>`;
}
