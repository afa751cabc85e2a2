/** The programme: who has an account, who answers which specialty, the health centres and what they have in stock. */

import { get } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { People } from "/desk/programme-people.js";
import { Sites } from "/desk/programme-sites.js";
import { Failure, word } from "/desk/say.js";
import { useDesk } from "/desk/store.js";

/** @typedef {{id: string, name: string, role: string, specialty: string, languages: string[], disabled: boolean, first_until_ms: number | null, factor: boolean, fixed: boolean}} Person */
/** @typedef {{code: string, people: string[], on_call: string[], waiting: number}} Answered */
/** @typedef {{people: Person[], specialties: Answered[], roles: string[], answering: string[], languages: string[], may: boolean}} Known */

const PARTS = ["people", "specialties", "sites"];

export function Programme() {
  const { route, user } = useDesk();
  const part = PARTS.includes(route.id) ? route.id : "people";
  return html`<main class="page page-wide">
    <h1>${t("programme.title")}</h1>
    <nav class="parts" aria-label=${t("programme.title")}>${PARTS.map((one) => html`<a key=${one} href=${`#/programme/${one}`} aria-current=${one === part ? "page" : null}>${t(`programme.${one}`)}</a>`)}
      ${user?.role === "coordinator" ? html`<a href="#/duty">${t("on_call.title")}</a>` : ""}</nav>
    ${part === "sites" ? html`<${Sites} />` : html`<${Accounts} part=${part} />`}
  </main>`;
}

/** @param {{ part: string }} props */
function Accounts({ part }) {
  const [known, setKnown] = useState(/** @type {Known | null} */ (null));
  const [problem, setProblem] = useState("");
  const read = () => get("/api/programme/people").then((found) => { setKnown(found); setProblem(""); }, (error) => setProblem(error.code));
  useEffect(() => void read(), []);
  if (problem && !known) return html`<${Failure} code=${problem} again=${read} />`;
  if (!known) return html`<p role="status">${t("loading")}</p>`;
  return part === "people" ? html`<${People} known=${known} again=${read} />` : html`<${Specialties} all=${known.specialties} />`;
}

/** What nobody answers stands out: general medicine gets it, and where that is empty too, nobody. @param {{ all: Answered[] }} props */
function Specialties({ all }) {
  const general = all.find((one) => one.code === "general")?.people.length ?? 0;
  return html`<p class="soft">${t("programme.specialties_what")}</p>
    <ul class="programme-list">${all.map((one) => html`<li key=${one.code} class="card programme-row">
      <div><b>${word("specialty", one.code)}</b>
        <span class="soft">${one.people.join(", ") || t(general && one.code !== "general" ? "programme.to_general" : "programme.to_nobody")}</span></div>
      <span class="row-chips">${one.people.length ? "" : html`<span class=${`chip ${general && one.code !== "general" ? "chip-attention" : "chip-bad"}`}><${Icon} name="triangle-alert" />${t("programme.nobody")}</span>`}
        ${one.on_call.length ? html`<span class="chip chip-ok"><${Icon} name="phone" />${t("programme.on_call", { names: one.on_call.join(", ") })}</span>` : ""}
        ${one.waiting ? html`<span class="chip">${t("duty.load", { n: one.waiting })}</span>` : ""}</span></li>`)}</ul>`;
}
