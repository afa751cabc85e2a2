/** Each vital sign over this and earlier visits. */

import { date, t } from "/shared/i18n.js";
import "/shared/instruments/trend-line.js";
import { html, useEffect, useRef } from "/shared/vendor/htm-preact/standalone.module.js";
import { useEarlier } from "/desk/earlier.js";
import { Failure, unitText, word } from "/desk/say.js";
import { useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {import("/shared/types.js").Vital} Vital */
/** @typedef {import("/shared/instruments/trend-line.js").TrendLine} TrendLine */

/** What is drawn in one picture: blood pressure is two numbers. */
const GROUPS = [["systolic", "diastolic"], ["spo2"], ["pulse_rate"], ["heart_rate"], ["respiration_rate"], ["temperature"], ["glucose"], ["weight"]];

/** @param {{ one: DeskCase }} props */
export function Trends({ one }) {
  const { visits, code, again } = useEarlier(one);
  if (code) return html`<${Failure} code=${code} again=${again} />`;
  if (!visits) return html`<p class="soft" role="status">${t("loading")}</p>`;
  const all = [...visits.flatMap((visit) => visit.vitals), ...one.vitals].filter((vital) => vital.value !== null).sort((a, b) => a.at_ms - b.at_ms);
  const groups = GROUPS.map((kinds) => kinds.map((kind) => all.filter((vital) => vital.kind === kind))).filter((rows) => rows.some((row) => row.length > 1));
  return html`<h2 class="pane-title">${t("trends.title")}</h2>
    ${groups.length ? html`<div class="trends">${groups.map((rows) => html`<${Trend} rows=${rows} key=${rows[0][0]?.kind} />`)}</div>` : html`<p class="soft">${visits.length ? t("trends.none") : t("trends.first")}</p>`}`;
}

/** @param {{ rows: Vital[][] }} props */
function Trend({ rows }) {
  const line = useRef(/** @type {TrendLine | null} */ (null));
  const { language } = useDesk();
  const first = rows[0][0];
  const name = rows.length > 1 ? t("vital.pressure") : word("vital", first.kind);
  const told = rows.flat().map((vital) => `${date(vital.at_ms)}: ${vital.value}`).join("; ");
  useEffect(() => {
    if (!line.current) return;
    line.current.format = (/** @type {number} */ ms) => date(ms, { day: "numeric", month: "short", year: "2-digit" });
    line.current.series = rows.map((row) => row.map(({ at_ms, value }) => ({ at_ms, value: Number(value) })));
  }, [told, language]);
  return html`<figure class="trend"><figcaption>${name} <bdi class="soft" dir="ltr">${unitText(first.unit)}</bdi></figcaption><trend-line ref=${line} label=${`${name}: ${told}`}></trend-line></figure>`;
}
