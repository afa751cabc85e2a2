/** A sheet, one item at a time: a touch answers it and brings the next; at the end the whole, to be corrected. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { goVisit, patchVisit } from "/kiosk/actions.js";
import { attempt } from "/kiosk/attempt.js";
import { Chip, Main, Page } from "/kiosk/parts.js";
import { answerKey, nihssOf, SHEETS } from "/kiosk/sheets.js";

/** @typedef {import("/shared/types.js").Visit} Visit */
/** @typedef {import("/kiosk/sheets.js").SheetItem} SheetItem */

/** @param {{ visit: Visit, which: string }} props */
export function SheetPage({ visit, which }) {
  const items = SHEETS[which] ?? [];
  const open = items.findIndex(({ item }) => visit.history[`${which}.${item}`] === undefined);
  const [at, goTo] = useState(open < 0 ? items.length : open);
  const item = items[at];
  if (!item) return html`<${Whole} visit=${visit} sheet=${which} items=${items} change=${goTo} />`;
  const answer = (/** @type {string} */ given) =>
    attempt(async () => {
      await patchVisit({ history: { [`${which}.${item.item}`]: given } });
      goTo(at + 1);
    });
  return html`<${Item} key=${item.item} sheet=${which} item=${item} n=${at + 1} of=${items.length} given=${visit.history[`${which}.${item.item}`]}
    answer=${answer} back=${() => (at ? goTo(at - 1) : goVisit("tiles"))} end=${() => goTo(items.length)} />`;
}

/** @param {{ sheet: string, item: SheetItem, n: number, of: number, given: string | undefined, answer: (given: string) => void, back: () => void, end: () => void }} props */
function Item({ sheet, item, n, of, given, answer, back, end }) {
  return html`<${Page} title=${t(`sheet.${sheet}.${item.item}`)} class="sheet" back=${back} say=${t(`sheet.${sheet}.${item.item}.help`)}
    step=${html`<bdi dir="ltr">${n}/${of}</bdi> · ${t(`sheet.${sheet}.${item.item}.help`)}`}
    main=${html`<${Main} go=${end} icon="arrow-right">${t("sheet.whole")}<//>`}>
    <div class="sheet-answers">${item.answers.map((one) => html`<button class="sheet-answer" aria-pressed=${String(one === given)} onClick=${() => answer(one)}>
      ${sheet === "nihss" && html`<b class="sheet-points">${one === "un" ? "UN" : one}</b>`}<span>${t(answerKey(sheet, item.item, one))}</span>
    </button>`)}</div>
  <//>`;
}

/** @param {{ visit: Visit, sheet: string, items: SheetItem[], change: (n: number) => void }} props */
function Whole({ visit, sheet, items, change }) {
  const { total, answered, untested } = nihssOf(visit.history);
  return html`<${Page} title=${t(`exam.${sheet}`)} class="sheet" back=${() => goVisit("tiles")}
    note=${sheet === "nihss" && html`<${Chip} kind="info"><bdi dir="ltr">${total}/42</bdi><//> ${untested > 0 && html`<${Chip} kind="attention">${t("sheet.untested", { n: untested })}<//>`}
      ${answered < items.length && html`<${Chip} kind="attention">${t("sheet.missing", { n: items.length - answered })}<//>`}`}
    main=${html`<${Main} go=${() => goVisit("tiles")} icon="check">${t("vital.save")}<//>`}>
    <div class="sheet-list">${items.map(({ item }, n) => html`<button class="sheet-row" onClick=${() => change(n)}>
      <span>${t(`sheet.${sheet}.${item}`)}</span><b>${shown(sheet, visit.history[`${sheet}.${item}`])}</b><${Icon} name="chevron-right" /></button>`)}</div>
  <//>`;
}

/** @param {string} sheet @param {string | undefined} given */
function shown(sheet, given) {
  if (given === undefined) return "\u2013";
  return sheet === "nihss" ? given.toUpperCase() : t(`do.${given}`);
}
