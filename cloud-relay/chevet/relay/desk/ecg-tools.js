/** How the ECG is drawn: layout, order of leads, speed, gain, filter, size; and the way back from one lead. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { Pick } from "/desk/fetched.js";
import { ltr } from "/desk/say.js";

export const FIRST = { layout: "3x4", order: "standard", lead: "", start: 0, speed: "25", gain: "10", filter: "diagnostic", zoom: "fit" };
/** @typedef {typeof FIRST} View */

/** @param {{ view: View, change: (part: Partial<View>) => void, wave: import("/shared/instruments/ecg-paper-wave.js").Wave | null, nearer: (lead: string) => void }} props */
export function Tools({ view, change, wave, nearer }) {
  const leads = wave?.leads.map((lead) => lead.name) ?? [];
  const layouts = [["3x4", ltr("3 × 4 + II")], ["6x2", ltr("6 × 2")], ["12x1", ltr("12 × 1")]];
  return html`<div class="tools">
    ${view.lead
      ? html`<button type="button" class="flip" onClick=${() => nearer("")}><${Icon} name="arrow-left" />${t("ecg.all_leads")}</button>`
      : html`<${Pick} label=${t("ecg.layout")} value=${view.layout} choose=${(/** @type {string} */ layout) => change({ layout })} options=${layouts} />
        <${Pick} label=${t("ecg.order")} value=${view.order} choose=${(/** @type {string} */ order) => change({ order })} options=${[["standard", t("ecg.order_standard")], ["cabrera", "Cabrera"]]} />`}
    <${Pick} label=${t("ecg.near")} value=${view.lead} choose=${(/** @type {string} */ lead) => (lead && view.lead ? change({ lead }) : nearer(lead))} options=${[["", t("ecg.near_none")], ...leads.map((lead) => [lead, ltr(lead)])]} />
    <${Pick} label=${t("ecg.speed")} value=${view.speed} choose=${(/** @type {string} */ speed) => change({ speed })} options=${["25", "50"].map((code) => [code, ltr(`${code} mm/s`)])} />
    <${Pick} label=${t("ecg.gain")} value=${view.gain} choose=${(/** @type {string} */ gain) => change({ gain })} options=${["5", "10", "20"].map((code) => [code, ltr(`${code} mm/mV`)])} />
    <${Pick} label=${t("ecg.filter")} value=${view.filter} choose=${(/** @type {string} */ filter) => change({ filter })}
      options=${[["diagnostic", ltr("0.05–150 Hz")], ["monitor", `${ltr("0.5–40 Hz")} ${t("ecg.view")}`], ["raw", t("ecg.raw")]]} />
    <${Pick} label=${t("ecg.zoom")} value=${view.zoom} choose=${(/** @type {string} */ zoom) => change({ zoom })} options=${[["fit", t("ecg.fit")], ["true", t("ecg.true")]]} />
  </div>`;
}
