/** New versions: what runs, what lies on a stick and who signed it, whether it may begin, how far it is, what it came to. */

import { get, post } from "/shared/api.js";
import { date, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { attempt } from "/kiosk/attempt.js";
import { Button, Dialog, Hint, Main, Page } from "/kiosk/parts.js";
import { go } from "/kiosk/route.js";
import { useHealth } from "/kiosk/screens/health.js";
import { useKiosk } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Health} Health */
/** @typedef {import("/shared/types.js").Update} Update */
/** @typedef {import("/shared/types.js").UpdateProgress} UpdateProgress */

const LOOK_EVERY_MS = 3000;
const RUNNING = ["copying", "installing", "waiting", "switching", "returning"];
const SHOWN_FOR_MS = 7 * 86_400_000;

/** @returns {[Update | null, (next: Update) => void]} asked again while the page is open; a box that starts anew is silent meanwhile */
function useUpdate() {
  const [update, show] = useState(/** @type {Update | null} */ (null));
  useEffect(() => {
    const look = () => get("/api/update").then(show).catch(() => null);
    look();
    const timer = setInterval(look, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return [update, show];
}

export function UpdatePage() {
  const [update, show] = useUpdate();
  const [asked, ask] = useState(false);
  const health = useHealth();
  const { status } = useKiosk();
  const checks = health ? checksOf(health) : [];
  const ready = checks.length > 0 && checks.every(([key, ok]) => ok || key === "sent"); // what waits is kept
  const there = update?.available ?? null;
  const running = runningOf(update);
  const may = there && !running;
  const begin = () => {
    ask(false);
    attempt(() => post("/api/update", { version: there?.version })).then((next) => next && show(next));
  };
  const main = may && html`<${Main} go=${() => ask(true)} icon="refresh-cw" why=${ready ? "" : t("update.wait.help")}>${t("update.go", { version: there.version })}<//>`;
  return html`<${Page} title=${t("update.title")} icon="refresh-cw" class="health update" back=${() => go("health")} backLabel=${t("health.title")} main=${main}
    step=${html`${t("about.version")} <bdi dir="ltr">${status?.version}</bdi>`}>
    ${running ? html`<${Running} state=${running.state} version=${running.version} percent=${running.percent} />` : html`<${Result} last=${update?.last} />`}
    ${may && html`<${Hint} kind="ok" icon="refresh-cw" title=${t("update.there", { version: there.version })}>${t("update.from", {
      place: t(`update.place.${there.place}`), by: there.by, made: date(Date.parse(there.made), { dateStyle: "medium" }) })}<//>`}
    ${update?.on && !there && !running && html`<${Hint} kind="info" title=${t("update.none")}>${t("update.none.help")}<//>`}
    ${(update?.refused ?? []).filter(({ reason }) => reason !== "did_not_start").map((one) => html`<${Hint} kind="attention" icon="triangle-alert" key=${one.version + one.reason} title=${t("update.refused")}>
      ${one.version && html`<bdi dir="ltr">${one.version}</bdi> · `}${t(`update.why.${one.reason}`)}<//>`)}
    ${!running && html`<ul class="update-checks">${checks.map(([key, ok]) => html`<li class=${`card ${ok ? "" : "update-not"}`} key=${key}>
      <${Icon} name=${ok ? "circle-check" : "circle-alert"} size="28px" /><span><b>${t(`update.${key}`)}</b>${!ok && html`<br /><span class="small">${t(`update.${key}.do`)}</span>`}</span></li>`)}</ul>`}
    ${update && !update.on && html`<${Installer} ready=${ready} />`}
    ${asked && there && html`<${Dialog} title=${t("update.ask", { version: there.version })} close=${() => ask(false)}>
      <p>${t("update.ask.help")}</p>
      <div class="dialog-foot"><${Button} go=${() => ask(false)}>${t("do.back")}<//><${Button} go=${begin} icon="refresh-cw" class="button-main">${t("update.begin")}<//></div><//>`}
  <//>`;
}

/** What is under way, or only wished for so far. @param {Update | null} update */
function runningOf(update) {
  const last = update?.last ?? null;
  if (last && RUNNING.includes(last.state)) return last;
  return update?.wanted ? { state: "wanted", version: update.wanted, percent: 0 } : null;
}

/** @param {{ state: string, version: string, percent: number }} props */
function Running({ state, version, percent }) {
  return html`<section class="card update-running" role="status"><${Icon} name="loader" size="40px" />
    <div><b>${t(`update.state.${state}`)}</b> <bdi dir="ltr" class="soft">${version}</bdi>
      ${state === "copying" && html`<span class="progress" role="progressbar" aria-label=${t("update.state.copying")} aria-valuenow=${percent} aria-valuemin="0" aria-valuemax="100">
        <i style=${{ inlineSize: `${percent}%` }}></i></span>`}
      <p class="soft small">${t("update.state.help")}</p></div></section>`;
}

/** What the last one came to; a good one is no news after a week. @param {{ last: UpdateProgress | null | undefined }} props */
function Result({ last }) {
  const { status } = useKiosk();
  if (!last || !status) return null;
  const params = { version: last.version, phone: status.site.phone };
  if (last.state === "rolled_back") return html`<${Hint} kind="bad" title=${t("update.rolled_back", params)}>${t("update.rolled_back.help", params)}<//>`;
  if (last.state === "failed") return html`<${Hint} kind="bad" title=${t("update.failed", params)}>${t(`update.why.${last.reason}`)}<//>`;
  if (last.state !== "done" || status.clock.now_ms - last.at_ms > SHOWN_FOR_MS) return null;
  return html`<${Hint} kind="ok" title=${t("update.done", params)}>${date(last.at_ms, { dateStyle: "medium", timeStyle: "short" })}<//>`;
}

/** On a box that is not laid out for updates by hand. @param {{ ready: boolean }} props */
function Installer({ ready }) {
  if (ready) return html`<${Hint} kind="ok" title=${t("update.ready")}>${t("update.ready.help")}<//>`;
  return html`<${Hint} kind="attention" title=${t("update.wait")}>${t("update.wait.help")}<//>`;
}

/** @param {Health} health @returns {[string, boolean][]} what must be true before it may begin; the last is only advice */
function checksOf({ power, disk, queue, visit_open }) {
  return [
    ["mains", power.source !== "battery" || (power.percent ?? 0) >= 50],
    ["room", disk.level === "ok"],
    ["visit", !visit_open],
    ["sent", queue.waiting + queue.travelling === 0],
  ];
}
