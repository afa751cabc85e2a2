/** A follow-up visit: which programme; then how the numbers went, and what the programme's rules want looked at. */

import { date, number, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useRef, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { goVisit, patchVisit } from "/kiosk/actions.js";
import { attempt } from "/kiosk/attempt.js";
import { Choice, Empty, Hint, Main, Page, unitText, Value } from "/kiosk/parts.js";
import { PROGRAMMES, programmesOf, useTrends } from "/kiosk/programmes.js";
import { QUESTIONS } from "/kiosk/questions.js";
import { askedHere } from "/kiosk/specialties.js";

/** @typedef {import("/shared/types.js").Visit} Visit */
/** @typedef {import("/shared/types.js").Trends} Trends */
/** @typedef {import("/shared/types.js").Prompt} Prompt */
/** @typedef {import("/shared/instruments/trend-line.js").TrendLine} TrendLine */

const KINDS = ["weight", "systolic", "pulse_rate", "spo2", "glucose", "temperature"];

/** @param {{ visit: Visit }} props */
export function FollowUp({ visit }) {
  const trends = useTrends(visit);
  const [chosen, choose] = useState(/** @type {string[] | null} */ (null));
  const now = chosen ?? (programmesOf(visit).length ? programmesOf(visit) : (trends?.programmes ?? []));
  const toggle = (/** @type {string} */ one) => choose(now.includes(one) ? now.filter((other) => other !== one) : [...now, one]);
  const save = () =>
    attempt(async () => {
      const first = PROGRAMMES[now[0] ?? ""];
      if (!first) return;
      const answers = Object.keys(PROGRAMMES).map((one) => [`programme.${one}`, now.includes(one) ? "yes" : "no"]);
      await patchVisit({ reason: first.reason, specialty: askedHere(first.specialty), history: Object.fromEntries(answers) });
      goVisit(QUESTIONS[first.reason] ? "history" : "tiles");
    });
  return html`<${Page} title=${t("follow.title")} step=${t("follow.help")} icon="calendar" back=${() => goVisit("reason")}
    main=${html`<${Main} go=${save} icon="arrow-right" why=${now.length ? "" : t("follow.why")}>${t("do.next")}<//>`}>
    <div class="choices choices-4 follow-choices">
      ${Object.entries(PROGRAMMES).map(([one, { icon }]) => html`<${Choice} icon=${icon} title=${t(`programme.${one}`)} chosen=${now.includes(one)} go=${() => toggle(one)} />`)}
    </div>
  <//>`;
}

/** @param {{ visit: Visit }} props */
export function TrendsPage({ visit }) {
  const trends = useTrends(visit);
  const wanted = programmesOf(visit).flatMap((one) => PROGRAMMES[one]?.kinds ?? []);
  const kinds = trends ? KINDS.filter((kind) => trends.trends[kind]?.length).sort((a, b) => rank(wanted, a) - rank(wanted, b)) : [];
  return html`<${Page} title=${t("trends.title")} icon="trending-up" step=${trends ? t("trends.visits", { n: trends.visits }) : ""} class="trends" back=${() => goVisit("tiles")}
    main=${html`<${Main} go=${() => goVisit("tiles")} icon="check">${t("trends.go")}<//>`}>
    ${trends && html`<${Prompts} trends=${trends} />`}
    ${trends && !kinds.length && html`<${Empty} icon="trending-up" title=${t("trends.empty")}>${t("trends.empty.help")}<//>`}
    <div class="trend-cards">${trends && kinds.map((kind) => html`<${Card} kind=${kind} trends=${trends} key=${kind} />`)}</div>
    ${trends && trends.symptoms.length > 0 && html`<${Symptoms} trends=${trends} />`}
  <//>`;
}

/** @param {string[]} wanted @param {string} kind */
function rank(wanted, kind) {
  const at = wanted.indexOf(kind);
  return at < 0 ? KINDS.length + KINDS.indexOf(kind) : at;
}

/** What the rules say: a prompt with its number, its limit and its source; never a diagnosis. @param {{ trends: Trends }} props */
export function Prompts({ trends }) {
  if (!trends.prompts.length) return null;
  return html`<div class="prompts">${trends.prompts.map((prompt) => html`<${Hint} kind="attention" icon="hand" title=${promptText(prompt)} key=${prompt.code + prompt.kind}>
    ${t(`programme.${prompt.programme}`)} · <bdi>${prompt.source}</bdi> · ${t("prompt.not_diagnosis")}<//>`)}</div>`;
}

/** @param {Prompt} prompt */
function promptText({ code, kind, value, limit, unit, days }) {
  if (code === "symptom") return t("prompt.symptom", { what: t(`symptom.${kind}`) });
  const shown = `${number(value)} ${unitText(unit)}`;
  return t(`prompt.${code}`, { value: code === "weight_gain" ? `+${shown}` : shown, limit: `${number(limit)} ${unitText(unit)}`, n: days });
}

/** @param {{ kind: string, trends: Trends }} props */
function Card({ kind, trends }) {
  const rows = trends.trends[kind] ?? [];
  const newest = rows.at(-1);
  const before = rows.at(-2);
  const chart = /** @type {{ current: TrendLine | null }} */ (useRef(null));
  const lines = kind === "systolic" ? [rows, trends.trends.diastolic ?? []] : [rows];
  const title = kind === "systolic" ? t("exam.blood_pressure") : t(`vital.${kind}`);
  useEffect(() => {
    if (!chart.current) return;
    chart.current.format = (ms) => date(ms, { day: "numeric", month: "short" });
    chart.current.series = lines;
  }, [trends]);
  if (!newest) return null;
  const low = kind === "systolic" ? trends.trends.diastolic?.at(-1)?.value : undefined;
  const change = before ? newest.value - before.value : null;
  return html`<section class="card trend-card"><header><b>${title}</b>
      <span>${low === undefined ? html`<${Value} value=${newest.value} unit=${newest.unit} />` : html`<bdi dir="ltr" class="value">${number(newest.value)}/${number(low)} <span class="unit">mmHg</span></bdi>`}
        ${change !== null && html`<bdi dir="ltr" class="soft small">${change > 0 ? "+" : ""}${number(change)}</bdi>`}</span></header>
    <trend-line ref=${chart} label=${rows.map(({ at_ms, value }) => `${date(at_ms, { day: "numeric", month: "short" })} ${number(value)}`).join(", ")}></trend-line>
  </section>`;
}

/** @param {{ trends: Trends }} props */
function Symptoms({ trends }) {
  return html`<section class="card trend-symptoms"><b>${t("trends.symptoms")}</b><ul>
    ${[...trends.symptoms].reverse().slice(0, 6).map(({ visit, at_ms, there }) => html`<li key=${visit}><span class="soft">${date(at_ms, { day: "numeric", month: "short" })}</span>
      <span>${there.length ? there.map((sign) => t(`symptom.${sign}`)).join(" · ") : html`<${Icon} name="check" size="18px" /> ${t("history.none")}`}</span></li>`)}
  </ul></section>`;
}
