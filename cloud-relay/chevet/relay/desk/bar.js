/** The bar at the top: where you are, who you are, whether the relay is there. */

import { LANGUAGES, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { chooseLanguage, signOut } from "/desk/actions.js";
import { roomsOf } from "/desk/rooms.js";
import { word } from "/desk/say.js";
import { now, set, useDesk } from "/desk/store.js";

export function Bar() {
  const { user, inbox, refused, route, connected, status, talks } = useDesk();
  const waiting = Math.max(inbox?.filter((one) => one.state !== "answered").length ?? 0, now().waiting);
  const dead = refused?.length ?? 0;
  const oversees = user?.role === "coordinator" || user?.role === "auditor";
  const has = roomsOf(user);
  const news = (talks ?? []).reduce((sum, one) => sum + one.new, 0);
  const here = (/** @type {string} */ page) => (route.page === page ? "page" : null);
  return html`<header class="bar">
    <a class="bar-name" href="#/" aria-label="Chevet"><img src="/shared/mark.svg" alt="" width="26" height="26" /><b>Chevet</b></a>
    <nav class="bar-nav" aria-label=${t("bar.rooms")}>
      ${has.inbox ? html`<a href="#/" aria-current=${here("inbox") ?? here("case")}>${t("bar.inbox")}<span class="bar-count">${waiting}</span></a>` : ""}
      ${has.talks ? html`<a href="#/talks" aria-current=${here("talks")}>${t("bar.talks")}${news ? html`<span class="bar-count">${news}</span>` : ""}</a>` : ""}
      ${has.talks ? html`<a class="bar-library" href="#/library" aria-current=${here("library")}>${t("bar.library")}</a>` : ""}
      ${user?.role === "coordinator" ? html`<a href="#/duty" aria-current=${here("duty")}>${t("bar.duty")}</a>` : ""}
      ${oversees ? html`<a class="bar-more" href="#/report" aria-current=${here("report")}>${t("bar.report")}</a>
        <a href="#/glass" aria-current=${here("glass")}>${t("bar.glass")}</a>` : ""}
      ${["site-admin", "coordinator"].includes(user?.role ?? "") ? html`<a href="#/programme" aria-current=${here("programme")}>${t("bar.programme")}</a>` : ""}
      ${has.refused ? html`<a href="#/refused" aria-current=${here("refused")}>${t("bar.refused")}${dead ? html`<span class="bar-count bar-count-bad">${dead}</span>` : ""}</a>` : ""}
      ${status?.sealing === "sealed" ? html`<a href="/sealed.html">${t("bar.sealed")}</a>` : ""}
    </nav>
    ${has.live ? html`<span class="bar-line" role="status"><i class=${connected ? "dot dot-ok" : "dot dot-bad"}></i>${connected ? t("bar.online") : t("bar.offline")}</span>` : ""}
    <${LanguageSwitch} />
    <button type="button" class="bar-user" title=${t("sessions.title")} onClick=${() => set({ dialog: "account" })}><${Icon} name="user" /><b>${user?.name}</b><span>${user?.specialty ? word("specialty", user.specialty) : word("role", user?.role ?? "")}</span></button>
    <button type="button" class="bar-button bar-keys" title=${t("keys.title")} aria-label=${t("keys.title")} onClick=${() => set({ dialog: "keys" })}>?</button>
    <button type="button" class="bar-button" title=${t("about.title")} aria-label=${t("about.title")} onClick=${() => set({ dialog: "about" })}><${Icon} name="info" /></button>
    <button type="button" class="bar-button" title=${t("sign_out")} aria-label=${t("sign_out")} onClick=${() => signOut()}><${Icon} name="log-out" /></button>
  </header>`;
}

/** Each language by its own name. */
export function LanguageSwitch() {
  const { language } = useDesk();
  const names = Object.entries(LANGUAGES).filter(([code]) => code !== "zgh"); // the desk's own words are not in Tamazight
  return html`<div class="languages" role="group" aria-label=${t("language")}>
    ${names.map(([code, name]) => html`<button type="button" key=${code} lang=${code} aria-pressed=${language === code} onClick=${() => chooseLanguage(code)}>${name}</button>`)}
  </div>`;
}
