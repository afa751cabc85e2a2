/** Medicines of the site's own stock list, each with how it is taken. What is not in stock is written in the advice. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";

/** @typedef {import("/shared/types.js").Medicine} Medicine */

/** As the relay has it. */
const MOST = 12;
const LONGEST_HOW = 200;

/** @param {{ stock: string[], chosen: Medicine[], change: (medicines: Medicine[]) => void, site: string }} props */
export function Medicines({ stock, chosen, change, site }) {
  if (!stock.length && !chosen.length) return html`<div class="field"><b>${t("field.medicines")}</b><p class="soft small">${t("medicines.no_stock", { site })}</p></div>`;
  const left = stock.filter((name) => !chosen.some((one) => one.name === name));
  const set = (/** @type {number} */ at, /** @type {string} */ how) => change(chosen.map((one, n) => (n === at ? { ...one, how } : one)));
  const add = (/** @type {any} */ event) => {
    if (event.target.value) change([...chosen, { name: event.target.value, how: "" }]);
    event.target.value = "";
  };
  return html`<fieldset class="choice medicines"><legend>${t("field.medicines")}</legend>
    ${chosen.length ? html`<ul>${chosen.map((one, at) => html`<li key=${one.name}><b><bdi>${one.name}</bdi></b>
      <input type="text" dir="auto" maxlength=${LONGEST_HOW} aria-label=${t("medicines.how_of", { name: one.name })} placeholder=${t("medicines.how")} value=${one.how} onInput=${(/** @type {any} */ event) => set(at, event.target.value)} />
      <button type="button" class="dialog-close" aria-label=${t("medicines.remove", { name: one.name })} onClick=${() => change(chosen.filter((_, n) => n !== at))}><${Icon} name="x" /></button></li>`)}</ul>` : ""}
    ${chosen.length < MOST && left.length ? html`<div class="field"><select aria-label=${t("medicines.add")} onChange=${add}><option value="">${t("medicines.add")}</option>${left.map((name) => html`<option value=${name} key=${name}>${name}</option>`)}</select></div>` : ""}
  </fieldset>`;
}

/** As an opinion shows them. @param {{ medicines: Medicine[] | undefined }} props */
export function MedicineList({ medicines = [] }) {
  if (!medicines.length) return null;
  return html`<ul class="medicine-list" aria-label=${t("field.medicines")}>${medicines.map((one) => html`<li key=${one.name}><b><bdi>${one.name}</bdi></b>${one.how ? html` <bdi>${one.how}</bdi>` : ""}</li>`)}</ul>`;
}
