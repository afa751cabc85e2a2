/** The programme's report on screen: figures by month and site, and who recorded how well. */

import { get } from "/shared/api.js";
import { number, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Blank, Failure } from "/desk/say.js";
import { useDesk } from "/desk/store.js";

/** @typedef {{month: string, site: string, cases: number, answered: number, late: number, rated: number, helped: number, allocate_min: number | null, answer_min: number | null, close_min: number | null, recordings: number, unreadable: number, specialists: number, discussions: number}} Line */
/** @typedef {{what: string, recordings: number, unreadable: number}} Share */
/** @typedef {{first: string, last: string, sites: Record<string, string>, lines: Line[], devices: Share[], workers: Share[]}} Found */

const HOUR = 60;
const DAY = 1440;

export function Report() {
  const { language, status } = useDesk();
  const [found, setFound] = useState(/** @type {Found | null} */ (null));
  const [problem, setProblem] = useState("");
  const [asked, setAsked] = useState({ first: "", last: "" });
  const query = Object.entries(asked).filter(([, month]) => month).map(([name, month]) => `${name}=${month}`).join("&");
  const read = () => get(`/api/report?${query}`).then((answer) => { setFound(answer); setProblem(""); }, (error) => setProblem(error.code));
  useEffect(() => void read(), [query]);
  if (problem && !found) return html`<main class="page"><${Failure} code=${problem} again=${read} /></main>`;
  if (!found) return html`<main class="page" aria-busy="true"><p role="status">${t("loading")}</p></main>`;
  const month = (/** @type {"first" | "last"} */ name) => html`<label>${t(`report.${name}`)}<input type="month" value=${asked[name] || found[name]} max="2099-12" onChange=${(/** @type {any} */ e) => setAsked({ ...{ first: asked.first || found.first, last: asked.last || found.last }, [name]: e.target.value })} /></label>`;
  const file = (/** @type {string} */ form) => `/api/report/file?form=${form}&first=${found.first}&last=${found.last}&language=${language}`;
  return html`<main class="page page-wide">
    <h1>${t("report.title")}</h1>
    <div class="report-choice">${month("first")}${month("last")}
      <a class="button" href=${file("csv")} download><${Icon} name="arrow-down" />CSV</a><a class="button" href=${file("pdf")} download><${Icon} name="printer" />PDF</a></div>
    ${problem ? html`<p class="field-error" role="alert"><${Icon} name="circle-alert" />${t("report.wrong")}</p>` : ""}
    ${found.lines.length ? html`<${Figures} lines=${found.lines} /><${Months} found=${found} />
        <${Shares} title=${t("report.devices")} what=${t("report.device")} shares=${found.devices} />
        <${Shares} title=${t("report.workers")} what=${t("report.worker")} shares=${found.workers} />
        <p class="soft small">${t("report.how")} ${status?.label ? "" : t("report.how_real")}</p>`
      : html`<${Blank} icon="calendar" title=${t("report.none")} text=${t("report.none_more")} />`}
  </main>`;
}

/** A length of time as people say it. @param {number | null} minutes */
function span(minutes) {
  if (minutes === null) return "–";
  if (minutes < HOUR) return t("report.minutes", { n: number(minutes, 0) });
  return minutes < DAY ? t("report.hours", { n: number(minutes / HOUR) }) : t("report.days", { n: number(minutes / DAY) });
}

/** @param {number} part @param {number} whole */
function percent(part, whole) {
  return whole ? `${number((100 * part) / whole, 0)} %` : "–";
}

/** The newest month of all sites, large. @param {{ lines: Line[] }} props */
function Figures({ lines }) {
  const line = lines[0];
  const cells = [
    [number(line.cases, 0), "report.cases"], [number(line.answered, 0), "report.answered"], [number(line.late, 0), "report.late"],
    [line.rated ? t("report.of", { n: number(line.helped, 0), all: number(line.rated, 0) }) : "–", "report.helped"],
    [span(line.allocate_min), "report.allocate"], [span(line.answer_min), "report.answer"], [span(line.close_min), "report.close"],
    [percent(line.unreadable, line.recordings), "report.unreadable"], [number(line.specialists, 0), "report.specialists"],
    [number(line.discussions, 0), "report.discussions"],
  ];
  return html`<section aria-labelledby="figures"><h2 id="figures"><bdi dir="ltr">${line.month}</bdi> · ${t("report.all")}</h2>
    <div class="figures">${cells.map(([figure, what]) => html`<div key=${what}><b>${figure}</b><span class="soft small">${t(what)}</span></div>`)}</div></section>`;
}

/** @param {{ found: Found }} props */
function Months({ found }) {
  const heads = ["month", "site", "cases", "answered", "late", "helped", "allocate", "answer", "close", "unreadable", "specialists", "discussions"];
  return html`<section class="report-table" tabindex="0" aria-label=${t("report.months")}><table class="plain">
    <thead><tr>${heads.map((name, place) => html`<th key=${name} scope="col" class=${place > 1 ? "figure" : ""}>${t(`report.${name}`)}</th>`)}</tr></thead>
    <tbody>${found.lines.map((line) => html`<tr key=${line.month + line.site} class=${line.site ? "" : "report-whole"}>
      <td><bdi dir="ltr">${line.month}</bdi></td><td>${line.site ? found.sites[line.site] ?? line.site : html`<b>${t("report.all")}</b>`}</td>
      ${[line.cases, line.answered, line.late].map((count, n) => html`<td key=${n} class="figure">${number(count, 0)}</td>`)}
      <td class="figure">${line.rated ? t("report.of", { n: number(line.helped, 0), all: number(line.rated, 0) }) : "–"}</td>
      ${[line.allocate_min, line.answer_min, line.close_min].map((minutes, n) => html`<td key=${n} class="figure">${span(minutes)}</td>`)}
      <td class="figure">${percent(line.unreadable, line.recordings)}</td><td class="figure">${number(line.specialists, 0)}</td><td class="figure">${number(line.discussions, 0)}</td></tr>`)}</tbody></table></section>`;
}

/** @param {{ title: string, what: string, shares: Share[] }} props */
function Shares({ title, what, shares }) {
  if (!shares.length) return null;
  return html`<section class="report-table" tabindex="0" aria-label=${title}><h2>${title}</h2><table class="plain">
    <thead><tr><th scope="col">${what}</th><th scope="col" class="figure">${t("report.recordings")}</th><th scope="col" class="figure">${t("report.unreadable")}</th></tr></thead>
    <tbody>${shares.map((one) => html`<tr key=${one.what}><td><bdi>${one.what}</bdi></td><td class="figure">${number(one.recordings, 0)}</td><td class="figure">${percent(one.unreadable, one.recordings)}</td></tr>`)}</tbody></table></section>`;
}
