/** Both ears side by side as one faces the patient: the right ear on the left, in every language; an earlier visit below. */

import { t } from "/shared/i18n.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Earlier } from "/desk/earlier.js";
import { Ear } from "/desk/ear-one.js";
import { Flip, NotDone } from "/desk/fetched.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {import("/desk/types.js").EarlierVisit} EarlierVisit */
/** @typedef {import("/desk/types.js").DeskRecording} DeskRecording */

const SIDES = ["right", "left"];

/** @param {{recordings: DeskRecording[]}} visit */
const looksOf = (visit) => visit.recordings.filter((recording) => recording.step === "otoscopy");

/** @param {{ one: DeskCase }} props */
export function EarPane({ one }) {
  const [earlier, setEarlier] = useState(false);
  const looks = looksOf(one);
  if (!looks.length) return html`<${NotDone} icon="med/ear" what=${t("pane.ears")} />`;
  return html`<${Both} visit=${one} drawings=${one.drawings ?? []} />
    <div class="under"><${Flip} on=${earlier} icon="rotate-ccw" label=${t("earlier.ears")} flip=${() => setEarlier(!earlier)} /></div>
    ${earlier ? html`<${Earlier} one=${one} has=${(/** @type {EarlierVisit} */ visit) => looksOf(visit).length > 0} none=${t("earlier.no_ears")}>${(/** @type {EarlierVisit} */ visit) => html`<${Both} visit=${visit} key=${visit.id} />`}<//>` : ""}`;
}

/** @param {{ visit: DeskCase | EarlierVisit, drawings?: import("/desk/types.js").Drawing[] | null }} props without drawings nothing can be drawn: that visit is over */
function Both({ visit, drawings = null }) {
  return html`<div class="ears">${SIDES.map((side) => html`<${Ear} one=${visit} side=${side} key=${side} drawings=${drawings} recording=${looksOf(visit).filter((look) => look.side === side).at(-1)} />`)}</div>`;
}
