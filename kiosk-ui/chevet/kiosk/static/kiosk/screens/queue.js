/** What has not reached the relay yet, and the courier's stick for where no line does: filled, or taken in, with its end said plainly. */

import { get, post } from "/shared/api.js";
import { has, number, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { readCases } from "/kiosk/actions.js";
import { attempt } from "/kiosk/attempt.js";
import { Button, Empty, Hint, Page } from "/kiosk/parts.js";
import { go } from "/kiosk/route.js";
import { CaseRow } from "/kiosk/screens/start.js";
import { useKiosk } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Sticks} Sticks */
/** @typedef {import("/shared/types.js").StickWork} StickWork */

const LOOK_EVERY_MS = 2000;
const HERE = ["on_box", "travelling"];

export function QueuePage() {
  const { cases } = useKiosk();
  const [sticks, show] = useState(/** @type {Sticks | null} */ (null));
  useEffect(() => {
    const look = () => get("/api/sticks").then(show).catch(() => null);
    look();
    readCases();
    const timer = setInterval(look, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const here = cases.filter((one) => HERE.includes(one.state) || one.refused);
  const begin = (/** @type {string} */ name, /** @type {string} */ way) => attempt(() => post("/api/sticks", { name, way })).then((next) => next && show(next));
  return html`<${Page} title=${t("queue.title")} icon="inbox" class="queue" step=${t("queue.step")} back=${() => go("start")} backLabel=${t("case.home")}>
    <div class="queue-two">
      <div class="case-list">${here.map((one) => html`<${CaseRow} one=${one} key=${one.id} />`)}
        ${!here.length && html`<${Empty} icon="circle-check" title=${t("queue.empty")}>${t("queue.empty.help")}<//>`}</div>
      <section class="card courier"><h2><${Icon} name="truck" size="34px" />${t("stick.title")}</h2>
        ${sticks && html`<${Courier} sticks=${sticks} begin=${begin} />`}</section>
    </div><//>`;
}

/** @param {{ sticks: Sticks, begin: (name: string, way: string) => void }} props */
function Courier({ sticks: { sticks, waiting, work }, begin }) {
  if (work?.state === "running") return html`<${Running} work=${work} />`;
  return html`${work && html`<${Ended} work=${work} />`}
    ${!sticks.length && html`<p class="courier-none"><${Icon} name="hard-drive" size="40px" />${t("stick.none")}</p>`}
    ${sticks.map((one) => html`<div class="courier-stick" key=${one.name}>
      <p><b><bdi>${one.name}</bdi></b> <span class="soft small">${t("stick.free", { free: `${number(one.free_bytes / 1e9)} GB` })}</span></p>
      ${one.brings && html`<p class="chip chip-attention"><${Icon} name="mail-open" size="1.1em" />${t("stick.brings")}</p>`}
      <div class="courier-do">${waiting > 0 && html`<${Button} go=${() => begin(one.name, "to")} icon="truck" class=${one.brings ? "" : "button-main"}>
          <span>${t("stick.to")} · <bdi dir="ltr">${waiting}</bdi></span><//>`}
        ${one.brings && html`<${Button} go=${() => begin(one.name, "from")} icon="inbox" class="button-main">${t("stick.from")}<//>`}</div></div>`)}`;
}

/** @param {{ work: StickWork }} props */
function Running({ work }) {
  const percent = work.percent ?? 0;
  return html`<div role="status" class="courier-running"><p><b>${t(work.way === "to" ? "stick.to" : "stick.from")}</b></p>
    ${work.way === "to" && html`<span class="progress" role="progressbar" aria-label=${t("stick.to")} aria-valuenow=${percent} aria-valuemin="0" aria-valuemax="100"><i style=${{ inlineSize: `${percent}%` }}></i></span>
      <span>${t("stick.step", { number: work.number ?? 0, of: work.of ?? 0 })}</span>`}
    <p class="soft"><${Icon} name="hand" size="24px" />${t("stick.leave")}</p></div>`;
}

/** @param {{ work: StickWork }} props */
function Ended({ work }) {
  if (work.state === "failed") return html`<${Hint} kind="bad" title=${t("stick.failed")}>${t(has(`error.${work.code}`) ? `error.${work.code}` : "error.other")}<//>`;
  if (work.way === "from") return html`<${Hint} kind="ok" title=${t("stick.done.from")}>${t("stick.settled", { n: work.settled ?? 0 })}<//>`;
  const left = work.left ?? 0;
  return html`<${Hint} kind="ok" title=${t("stick.done.to", { n: (work.written ?? 0) + (work.there ?? 0) })}>${t("stick.pull")}<//>
    ${left > 0 && html`<${Hint} kind="attention" icon="hard-drive" title=${t("stick.left", { n: left })} />`}`;
}
