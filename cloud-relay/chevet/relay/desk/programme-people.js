/** The accounts of the programme, found by name, and one of them at a time to be changed. */

import { date, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { NewPerson, OnePerson } from "/desk/programme-person.js";
import { Blank, word } from "/desk/say.js";

/** @typedef {import("/desk/programme.js").Person} Person */

/** @param {{ known: import("/desk/programme.js").Known, again: () => void }} props */
export function People({ known, again }) {
  const [sought, setSought] = useState("");
  const [open, setOpen] = useState(/** @type {"" | "new" | string} */ (""));
  const words = sought.trim().toLowerCase();
  const found = known.people.filter((one) => `${one.name} ${one.id} ${word("role", one.role)} ${one.specialty ? word("specialty", one.specialty) : ""}`.toLowerCase().includes(words));
  const one = known.people.find(({ id }) => id === open);
  const closed = () => { setOpen(""); again(); };
  return html`<p class="soft">${t(known.may ? "programme.people_what" : "programme.people_read")}</p>
    <div class="programme-top"><label class="programme-seek"><span class="visually-hidden">${t("programme.seek")}</span><${Icon} name="search" /><input type="search" placeholder=${t("programme.seek")} value=${sought} onInput=${(/** @type {any} */ e) => setSought(e.target.value)} /></label>
      ${known.may ? html`<button type="button" class="button button-main" onClick=${() => setOpen("new")}><${Icon} name="user-plus" />${t("programme.new_person")}</button>` : ""}</div>
    ${found.length ? html`<ul class="programme-list">${found.map((each) => html`<${Row} key=${each.id} one=${each} change=${known.may && !each.fixed ? () => setOpen(each.id) : null} />`)}</ul>` : html`<${Blank} icon="search" title=${t("programme.none")} />`}
    ${open === "new" ? html`<${NewPerson} known=${known} closed=${closed} />` : one ? html`<${OnePerson} known=${known} one=${one} closed=${closed} again=${again} />` : ""}`;
}

/** @param {{ one: Person, change: (() => void) | null }} props */
function Row({ one, change }) {
  const about = [word("role", one.role), one.specialty ? word("specialty", one.specialty) : "", one.languages.map((code) => word("spoken", code)).join(", ")];
  return html`<li class=${`card programme-row${one.disabled ? " is-shut" : ""}`}>
    <div><b><bdi>${one.name}</bdi></b> <bdi dir="ltr" class="mono soft">${one.id}</bdi><span class="soft">${about.filter(Boolean).join(" · ")}</span></div>
    <span class="row-chips"><${State} one=${one} /></span>
    ${change ? html`<button type="button" class="button" aria-label=${t("programme.change_named", { name: one.name })} onClick=${change}>${t("programme.change")}</button>` : one.fixed ? html`<span class="soft small">${t("programme.fixed")}</span>` : ""}</li>`;
}

/** Whether somebody can sign in, and how far they came. @param {{ one: Person }} props */
export function State({ one }) {
  if (one.disabled) return html`<span class="chip chip-bad"><${Icon} name="lock" />${t("programme.shut")}</span>`;
  if (one.first_until_ms && one.first_until_ms < Date.now()) return html`<span class="chip chip-bad"><${Icon} name="timer" />${t("programme.first_over")}</span>`;
  if (one.first_until_ms) return html`<span class="chip chip-attention"><${Icon} name="timer" />${t("programme.first_waits", { date: date(one.first_until_ms) })}</span>`;
  return html`<span class="chip chip-ok"><${Icon} name="circle-check" />${t(one.factor ? "programme.ready" : "programme.active")}</span>`;
}
