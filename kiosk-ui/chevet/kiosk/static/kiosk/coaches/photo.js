/** Photograph of the skin: first where on the body, then light and focus, then the best of several pictures. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { SPOTS, viewsOf } from "/shared/instruments/skin-map.js";
import { goVisit } from "/kiosk/actions.js";
import { useCapture } from "/kiosk/coaches/capture.js";
import { Coach, QualityChip, QualityHint, toTiles } from "/kiosk/coaches/coach.js";
import { Result } from "/kiosk/coaches/result.js";
import { LivePicture, proposedOf, Stills } from "/kiosk/coaches/stills.js";
import { recordingsOf } from "/kiosk/exams.js";
import { Main, Page } from "/kiosk/parts.js";

/** @typedef {import("/shared/types.js").Visit} Visit */
/** @typedef {import("/shared/types.js").Quality} Quality */

const SECONDS = 3;
const EAR_ALONE = ["no_eardrum_in_view", "wax"];

/** @param {{ visit: Visit, which: string }} props `which`: the place, part of the address so that a reload keeps it */
export function Photo({ visit, which }) {
  const site = (visit.capture?.step === "photo" && visit.capture.site) || which;
  if (!site) return html`<${Places} visit=${visit} choose=${(/** @type {string} */ place) => goVisit(`photo/${place}`)} />`;
  return html`<${OnePlace} visit=${visit} site=${site} />`;
}

/** The person on one side, the words on the other: either is touched. @param {{ visit: Visit, choose: (site: string) => void }} props */
function Places({ visit, choose }) {
  const [view, look] = useState("front");
  const { done, poor } = taken(visit);
  const spots = SPOTS[view] ?? [];
  return html`<${Page} title=${t("skin.title")} step=${t("skin.help")} icon="camera" class="coach skin-page" back=${toTiles}
    main=${done.length + poor.length > 0 && html`<${Main} go=${toTiles} icon="check">${t("trends.go")}<//>`}>
    <div class="skin-grid">
      <div class="card skin-body"><skin-map view=${view} done=${done.join(" ")} poor=${poor.join(" ")} pickable="" label=${t("skin.picture")}
        onpick=${(/** @type {CustomEvent<{ site: string }>} */ event) => choose(event.detail.site)}></skin-map></div>
      <div class="skin-words">
        <div class="segments segments-wide" role="group" aria-label=${t("skin.picture")}>
          ${["front", "back"].map((one) => html`<button aria-pressed=${String(one === view)} onClick=${() => look(one)}>${t(`lungs.lung-${one}`)}</button>`)}
        </div>
        <div class="skin-places">${spots.map(([site]) => html`<button class="button skin-place" data-site=${site} onClick=${() => choose(site)}>
          <span>${t(`site.${site}`)}</span>${done.includes(site) && html`<${Icon} name="check" />`}${poor.includes(site) && html`<${Icon} name="triangle-alert" />`}</button>`)}</div>
      </div>
    </div>
  <//>`;
}

/** @param {Visit} visit */
function taken(visit) {
  const all = recordingsOf(visit, "photo");
  const poor = all.filter(({ accepted_poor }) => accepted_poor).map(({ site }) => site);
  return { poor, done: all.map(({ site }) => site).filter((site) => !poor.includes(site)) };
}

/** While it is watched a camera is judged as an otoscope: what is said of the ear alone does not count here. @param {Quality | undefined} quality */
function judged(quality) {
  if (!quality) return quality;
  const about = quality.reasons.filter((reason) => !EAR_ALONE.includes(reason)).map((reason) => (reason === "fog" ? "out_of_focus" : reason));
  return { ...quality, reasons: about, usable: quality.usable || !about.length };
}

/** @param {{ visit: Visit, site: string }} props */
function OnePlace({ visit, site }) {
  const taking = useCapture(visit, { step: "photo", instrument: "otoscope", site, seconds: SECONDS });
  const [best, chooseBest] = useState(/** @type {number | null} */ (null));
  const shown = best ?? proposedOf(taking.capture);
  const quality = judged(taking.live?.quality);
  const where = html`<b>${t(`site.${site}`)}</b>`;
  const back = () => goVisit("photo");
  const common = { exam: "photo", icon: "camera", taking };
  const result = html`<${Result} ...${common} step=${where} kept=${back} best=${shown} class="coach-photo">
    <${Stills} capture=${taking.capture} shown=${shown} choose=${chooseBest} />
  <//>`;
  return html`<${Coach} ...${common} step=${html`${where} · ${t("skin.step")}`} say=${t("skin.step")} skip=${{ step: "photo", site }} leave=${back} result=${result} class="coach-photo"
    instrument="camera" recordLabel=${t("coach.record", { n: SECONDS })} chips=${html`<${QualityChip} quality=${quality} />`}
    picture=${html`<div class="skin-maps">${viewsOf(site).map((view) => html`<skin-map view=${view} active=${site} label=${t(`site.${site}`)}></skin-map>`)}</div>`}
    hint=${html`<${QualityHint} quality=${quality} good=${t("skin.good")} />`}>
    <${LivePicture} device=${taking.device?.id ?? ""} label=${t("signal.photo")} />
  <//>`;
}
