/** The page of sealed cases: the specialist's key, the list, one case; for coordinators the keys to confirm. */

import { get, post, put } from "/shared/api.js";
import { clock, setLanguage, t } from "/shared/i18n.js";
import { Live } from "/shared/live.js";
import { html, render, useEffect, useRef, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { fromText, toText } from "/desk/sealed-answer.js";
import { CaseView } from "/desk/sealed-case.js";
import { able, makeKeys, unlock } from "/desk/sealed-keys.js";
import { lookAgain, openCase } from "/desk/sealed-open.js";
import { Colleagues } from "/desk/sealed-share.js";
import { sentence } from "/desk/sealed-write.js";

/** A form that sends one thing and says what went wrong. @param {{ send: (form: FormData) => Promise<void>, label: string, children?: any }} props */
function Ask({ send, label, children }) {
  const [trouble, setTrouble] = useState("");
  const [busy, setBusy] = useState(false);
  /** @param {any} event */
  async function submit(event) {
    event.preventDefault();
    setBusy(true);
    setTrouble("");
    await send(new FormData(event.target)).catch((error) => setTrouble(sentence(error)));
    setBusy(false);
  }
  return html`<form onSubmit=${submit}>${children}${trouble ? html`<p role="alert">${trouble}</p>` : ""}<button class="button button-main" disabled=${busy}>${label}</button></form>`;
}

/** @param {string} name */
const secret = (name) => html`<label>${t(`sealed.${name}`)}<input type="password" name=${name} autocomplete="off" required /></label>`;

/** @param {{ user: any, again: () => void }} props */
function MakeKey({ user, again }) {
  const send = async (/** @type {FormData} */ form) => {
    const passphrase = String(form.get("passphrase"));
    if (passphrase !== form.get("repeat")) throw { code: "not_equal" };
    const made = await makeKeys(user.id, passphrase);
    await put("/api/sealed/key", { seal_key: toText(made.sealKey), sign_key: toText(made.signKey), wrapped: toText(made.wrapped) });
    again();
  };
  return html`<section class="sealed-card"><h2>${t("sealed.make.title")}</h2><p>${t("sealed.make.text")}</p><${Ask} send=${send} label=${t("sealed.make.go")}>${secret("passphrase")}${secret("repeat")}<//></section>`;
}

/** @param {{ user: any, known: any, again: () => void }} props */
function Specialist({ user, known, again }) {
  const [keys, setKeys] = useState(/** @type {any} */ (null));
  const { key } = known;
  if (!key || key.state === "revoked") return html`${key ? html`<p role="status">${t("sealed.revoked")}</p>` : ""}<${MakeKey} user=${user} again=${again} />`;
  if (key.state === "waiting") return html`<section class="sealed-card"><p>${t("sealed.waiting")}</p><bdi class="sealed-print" dir="ltr">${key.fingerprint}</bdi></section>`;
  const open = async (/** @type {FormData} */ form) => setKeys(await unlock(user.id, String(form.get("passphrase")), fromText(key.wrapped)));
  if (!keys) return html`<section class="sealed-card"><p>${t("sealed.unlock.text")}</p><${Ask} send=${open} label=${t("sealed.unlock")}>${secret("passphrase")}<//></section>`;
  return html`<${Cases} keys=${keys} known=${known} />`;
}

/** Changes come in bursts while a case arrives; one reading for all of them is enough. */
const SETTLE_MS = 1000;

/** Let the relay's live line say that something changed, or may have while it was down. @param {() => void} read */
function useChanges(read) {
  const latest = useRef(read);
  latest.current = read;
  useEffect(() => {
    const live = new Live();
    let timer = 0;
    const soon = () => {
      timer ||= window.setTimeout(() => {
        timer = 0;
        latest.current();
      }, SETTLE_MS);
    };
    live.texts.add(soon);
    live.states.add((/** @type {boolean} */ open) => open && soon());
    live.open();
    return () => {
      clearTimeout(timer);
      live.close();
    };
  }, []);
}

/** @param {{ keys: any, known: any }} props */
function Cases({ keys, known }) {
  const [cases, setCases] = useState(/** @type {any[] | null} */ (null));
  const [opened, setOpened] = useState(/** @type {any} */ (null));
  const [trouble, setTrouble] = useState("");
  const load = () => get("/api/sealed/cases").then((answer) => setCases(answer.cases), (error) => setTrouble(sentence(error)));
  useEffect(() => void load(), []);
  const open = (/** @type {string} */ id) => openCase(id, keys.opener, fromText(known.dictionary)).then(setOpened, (error) => setTrouble(sentence(error)));
  // After something came or was sent: the list, and the case with what is here of it. Where the line breaks, the next change mends it.
  const look = () => lookAgain(opened).then((fresh) => setOpened((/** @type {any} */ now) => (now?.said.id === fresh.said.id ? fresh : now)), () => undefined);
  const again = () => void Promise.all([load(), opened && look()]);
  useChanges(again);
  const now = () => known.now_ms + Math.round(performance.now() - known.at);
  const relayKey = fromText(known.relay_key);
  return html`${trouble ? html`<p role="alert">${trouble}</p>` : ""}
    <section class="sealed-card">${cases?.length === 0 ? html`<p>${t("sealed.none")}</p>` : ""}
      ${(cases ?? []).map((one) => html`<div class="sealed-row" key=${one.id}>${one.simulated ? html`<span class="htest">HTEST</span>` : ""}<b>${one.site.name}</b><span>${clock(one.received_ms)}</span>
        ${one.urgent ? html`<span class="chip chip-attention">${t("urgency.urgent")}</span>` : ""}${one.answered_ms ? html`<span class="chip chip-ok">${t("sealed.answered")}</span>` : ""}
        ${one.yours ? html`<button type="button" class="button" onClick=${() => open(one.id)}>${t("sealed.open")}</button>` : html`<span class="soft">${t("sealed.not_yours")}</span>`}</div>`)}</section>
    <${Colleagues} cases=${cases ?? []} opener=${keys.opener} relayKey=${relayKey} again=${load} />
    ${opened ? html`<${CaseView} opened=${opened} keys=${keys} relayKey=${relayKey} certificate=${known.key.certificate} now=${now} again=${again} key=${opened.said.id} />` : ""}`;
}

function Coordinator() {
  const [keys, setKeys] = useState(/** @type {any[]} */ ([]));
  const load = () => get("/api/sealed/keys").then((answer) => setKeys(answer.keys));
  useEffect(() => void load(), []);
  const confirm = (/** @type {string} */ user) => async (/** @type {FormData} */ form) => {
    await post(`/api/sealed/keys/${encodeURIComponent(user)}/confirm`, { fingerprint: String(form.get("print")) });
    await load();
  };
  const revoke = (/** @type {string} */ user) => async () => {
    await post(`/api/sealed/keys/${encodeURIComponent(user)}/revoke`);
    await load();
  };
  return html`<section class="sealed-card"><h2>${t("sealed.keys.title")}</h2><p>${t("sealed.keys.text")}</p>
    ${keys.map((one) => html`<article class="sealed-part" key=${one.user}><div class="sealed-row"><b>${one.name}</b><span>${t(`specialty.${one.specialty}`)}</span><span class="chip">${t(`sealed.state.${one.state}`)}</span></div>
      ${one.state === "waiting" ? html`<${Ask} send=${confirm(one.user)} label=${t("sealed.keys.confirm")}><label>${t("sealed.keys.print")}<input name="print" dir="ltr" autocomplete="off" required minlength="24" maxlength="40" /></label><//>` : ""}
      ${one.state === "confirmed" ? html`<${Ask} send=${revoke(one.user)} label=${t("sealed.keys.revoke")} />` : ""}</article>`)}</section>`;
}

/** @param {{ user: any, can: boolean }} props */
function Page({ user, can }) {
  const [known, setKnown] = useState(/** @type {any} */ (null));
  const load = () => get("/api/sealed/words").then((answer) => setKnown({ ...answer, at: performance.now() }));
  useEffect(() => {
    if (user) void load();
  }, []);
  const inside = !user ? html`<p>${t("sealed.sign_in")}</p>` : !can ? html`<p role="alert">${t("sealed.unable")}</p>` : !known ? ""
    : user.role === "coordinator" ? html`<${Coordinator} />` : html`<${Specialist} user=${user} known=${known} again=${load} />`;
  return html`<div class="sealed"><main class="sealed-page"><header class="sealed-row"><a class="button button-quiet" href="/">${t("sealed.desk")}</a><h1>${t("sealed.title")}</h1></header><p class="soft">${t("sealed.what")}</p>${inside}</main></div>`;
}

const ROOMS = ["/shared", "/desk", "/desk/sealed"];
await setLanguage(localStorage.getItem("chevet.language") ?? "fr", ROOMS).catch(() => setLanguage("fr", ROOMS));
const { user } = await get("/api/session").catch(() => ({ user: null }));
const root = document.getElementById("app");
if (root) render(html`<${Page} user=${user} can=${await able()} />`, root);
