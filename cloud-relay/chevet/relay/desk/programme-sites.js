/** The health centres of the programme: a box let in by a one-time code, name and telephone, what is in stock. */

import { get, post, put } from "/shared/api.js";
import { age, clock, date, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Dialog } from "/desk/dialog.js";
import { useProof } from "/desk/proof-first.js";
import { Blank, Failure } from "/desk/say.js";

/** @typedef {{code: string, name: string, phone: string, revoked: boolean, certificate_until_ms: number | null, last_case_ms: number | null, stock: string[]}} Site */
/** @typedef {{site: string, name: string, until_ms: number}} Invited */
/** @typedef {{site: string, command: string, qr: string, until_ms: number}} Invite */

const SOON_MS = 30 * 86_400_000;
const HOURS = 48;

export function Sites() {
  const [known, setKnown] = useState(/** @type {{sites: Site[], invited: Invited[], may: boolean} | null} */ (null));
  const [problem, setProblem] = useState("");
  const [open, setOpen] = useState(/** @type {{what: "" | "invite" | "words" | "stock", code: string}} */ ({ what: "", code: "" }));
  const read = () => get("/api/programme/sites").then((found) => { setKnown(found); setProblem(""); }, (error) => setProblem(error.code));
  useEffect(() => void read(), []);
  if (problem && !known) return html`<${Failure} code=${problem} again=${read} />`;
  if (!known) return html`<p role="status">${t("loading")}</p>`;
  const one = known.sites.find(({ code }) => code === open.code);
  const closed = () => { setOpen({ what: "", code: "" }); void read(); };
  return html`<p class="soft">${t("programme.sites_what")}</p>
    ${known.may ? html`<div class="programme-top"><button type="button" class="button button-main" onClick=${() => setOpen({ what: "invite", code: "" })}><${Icon} name="plus" />${t("programme.new_site")}</button></div>` : ""}
    ${known.sites.length + known.invited.length ? "" : html`<${Blank} icon="building-2" title=${t("programme.no_sites")} text=${t("programme.no_sites_more")} />`}
    <ul class="programme-list">${known.invited.map((each) => html`<li key=${each.site} class="card programme-row"><div><b><bdi>${each.name}</bdi></b> <bdi dir="ltr" class="mono soft">${each.site}</bdi></div>
        <span class="row-chips"><span class="chip chip-attention"><${Icon} name="timer" />${t("programme.invited", { date: `${date(each.until_ms)} ${clock(each.until_ms)}` })}</span></span></li>`)}
      ${known.sites.map((each) => html`<${Row} key=${each.code} one=${each} may=${known.may} open=${(/** @type {any} */ what) => setOpen({ what, code: each.code })} />`)}</ul>
    ${open.what === "invite" ? html`<${NewBox} one=${one ?? null} closed=${closed} />` : ""}
    ${open.what === "words" && one ? html`<${OneSite} one=${one} closed=${closed} invite=${() => setOpen({ what: "invite", code: one.code })} />` : ""}
    ${open.what === "stock" && one ? html`<${Stock} one=${one} closed=${closed} />` : ""}`;
}

/** @param {{ one: Site, may: boolean, open: (what: "words" | "stock") => void }} props */
function Row({ one, may, open }) {
  const until = one.certificate_until_ms;
  const soon = until !== null && until - Date.now() < SOON_MS;
  return html`<li class=${`card programme-row${one.revoked ? " is-shut" : ""}`}>
    <div><b><bdi>${one.name}</bdi></b> <bdi dir="ltr" class="mono soft">${one.code}</bdi>
      <span class="soft">${[one.phone ? html`<bdi dir="ltr">${one.phone}</bdi>` : "", one.last_case_ms ? t("programme.last_case", { age: age((Date.now() - one.last_case_ms) / 1000) }) : t("programme.no_case")].filter(Boolean).map((part, n) => html`${n ? " · " : ""}${part}`)}</span></div>
    <span class="row-chips">${one.revoked ? html`<span class="chip chip-bad"><${Icon} name="lock" />${t("programme.refused")}</span>` : ""}
      ${until && !one.revoked ? html`<span class=${`chip ${soon ? "chip-attention" : ""}`}><${Icon} name="shield-check" />${t("programme.certificate", { date: date(until) })}</span>` : ""}
      <button type="button" class=${`chip ${one.stock.length ? "chip-info" : "chip-attention"}`} onClick=${() => open("stock")}><${Icon} name="pill" />${t("programme.stock_n", { n: one.stock.length })}</button></span>
    ${may ? html`<button type="button" class="button" aria-label=${t("programme.change_named", { name: one.name })} onClick=${() => open("words")}>${t("programme.change")}</button>` : html`<button type="button" class="button" onClick=${() => open("stock")}>${t("programme.stock")}</button>`}</li>`;
}

/** A one-time code for a new site's box, or for a new box of a site that is there. @param {{ one: Site | null, closed: () => void }} props */
function NewBox({ one, closed }) {
  const [words, setWords] = useState({ name: one?.name ?? "", phone: one?.phone ?? "" });
  const [made, setMade] = useState(/** @type {Invite | null} */ (null));
  const { attempt, asked, problem, busy } = useProof();
  const make = (/** @type {Event} */ event) => {
    event.preventDefault();
    void attempt(async (proof) => setMade(await post("/api/programme/sites", { ...words, site: one?.code ?? "", hours: HOURS, ...proof })));
  };
  return html`<${Dialog} title=${one ? t("programme.new_box", { name: one.name }) : t("programme.new_site")} closed=${closed}>
    ${made ? html`<p>${t("programme.invite_how", { date: `${date(made.until_ms)} ${clock(made.until_ms)}` })}</p>
        <img class="factor-qr" src=${made.qr} alt=${t("programme.invite_qr")} width="196" height="196" />
        <p class="first-password first-command" role="status"><bdi dir="ltr">${made.command}</bdi></p>
        <p class="note note-attention"><${Icon} name="triangle-alert" /><span>${t("programme.invite_once")}</span></p>`
      : asked || html`<form onSubmit=${make}><${SiteWords} words=${words} change=${setWords} />
        ${problem}<div class="dialog-foot"><button type="submit" class="button button-main" disabled=${busy}><${Icon} name="qr-code" />${t("programme.invite")}</button></div></form>`}
  <//>`;
}

/** @param {{ words: {name: string, phone: string}, change: (words: {name: string, phone: string}) => void }} props */
function SiteWords({ words, change }) {
  return html`<div class="field"><label for="site-name">${t("programme.site_name")}</label><input id="site-name" dir="auto" autocomplete="off" required maxlength="200" value=${words.name} onInput=${(/** @type {any} */ e) => change({ ...words, name: e.target.value })} /></div>
    <div class="field"><label for="site-phone">${t("programme.phone")}</label><input id="site-phone" type="tel" dir="ltr" autocomplete="off" maxlength="40" value=${words.phone} onInput=${(/** @type {any} */ e) => change({ ...words, phone: e.target.value })} /></div>`;
}

/** @param {{ one: Site, closed: () => void, invite: () => void }} props */
function OneSite({ one, closed, invite }) {
  const [words, setWords] = useState({ name: one.name, phone: one.phone });
  const [sure, setSure] = useState(false);
  const { attempt, asked, problem, busy } = useProof();
  const save = (/** @type {Event} */ event) => {
    event.preventDefault();
    void attempt((proof) => put(`/api/programme/sites/${one.code}`, { ...words, ...proof }).then(closed));
  };
  const refuse = () => attempt((proof) => post(`/api/programme/sites/${one.code}/revocation`, proof).then(closed));
  return html`<${Dialog} title=${one.name} closed=${closed}>${asked || html`<form onSubmit=${save}><${SiteWords} words=${words} change=${setWords} />
      ${problem}<div class="dialog-foot"><button type="submit" class="button button-main" disabled=${busy}>${t("programme.save")}</button></div></form>
    ${one.revoked ? html`<p class="soft">${t("programme.refused_what")}</p>` : html`<section class="acts"><ul class="sessions">
      <li><span class="small">${t("programme.new_box_what")}</span><button type="button" class="button" onClick=${invite}>${t("programme.new_box_do")}</button></li>
      <li><span class="small">${t("programme.refuse_what")}</span>${sure ? html`<button type="button" class="button button-bad" disabled=${busy} onClick=${refuse}>${t("programme.really")}</button>` : html`<button type="button" class="button" onClick=${() => setSure(true)}>${t("programme.refuse")}</button>`}</li></ul></section>`}`}
  <//>`;
}

/** One medicine a line, as it is printed on an answer. @param {{ one: Site, closed: () => void }} props */
function Stock({ one, closed }) {
  const [text, setText] = useState(one.stock.join("\n"));
  const { attempt, problem, busy } = useProof();
  const medicines = text.split("\n").map((line) => line.replaceAll(/\s+/g, " ").trim()).filter(Boolean);
  const save = (/** @type {Event} */ event) => {
    event.preventDefault();
    void attempt(() => put(`/api/programme/sites/${one.code}/stock`, { medicines }).then(closed));
  };
  return html`<${Dialog} title=${t("programme.stock_of", { name: one.name })} closed=${closed}><form onSubmit=${save}>
    <p class="soft small" id="stock-how">${t("programme.stock_how")}</p>
    <div class="field"><label for="stock">${t("programme.stock_n", { n: medicines.length })}</label><textarea id="stock" rows="12" dir="auto" spellcheck=${false} aria-describedby="stock-how" value=${text} onInput=${(/** @type {any} */ e) => setText(e.target.value)}></textarea></div>
    ${problem}<div class="dialog-foot"><button type="submit" class="button button-main" disabled=${busy}>${t("programme.save")}</button></div></form><//>`;
}
