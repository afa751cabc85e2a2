/** Two identifiers, asked and ticked one by one, before anything is recorded in a name. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { attempt } from "/kiosk/attempt.js";
import { Button, Main, Page } from "/kiosk/parts.js";
import { isCoded } from "/kiosk/screens/card.js";
import { PhotoDialog, usePhoto } from "/kiosk/screens/photo.js";
import { Patient, yearsOf } from "/kiosk/people.js";

/** @typedef {import("/shared/types.js").Patient} PatientShape */

/** @param {PatientShape} patient @returns {[string, string, string][]} key, question, answer */
function identifiers(patient) {
  const years = yearsOf(patient);
  /** @type {[string, string, string][]} */
  const known = [["name", t(isCoded(patient) ? "confirm.code" : "confirm.name"), patient.name]];
  if (years !== null) known.push(["birth", t("confirm.birth"), t("confirm.birth.answer", { year: String(patient.birth_year), n: years })]);
  if (patient.local_number) known.push(["number", t("confirm.number"), patient.local_number]);
  if (patient.sex) known.push(["sex", t("confirm.sex"), t(`sex.${patient.sex}`)]);
  return known;
}

/** @param {{ patient: PatientShape, begin: () => Promise<void>, back: () => void, backLabel?: string, card?: () => void }} props */
export function Confirm({ patient, begin, back, backLabel, card }) {
  const [ticked, tick] = useState(/** @type {string[]} */ ([]));
  const [busy, setBusy] = useState(false);
  const [posing, pose] = useState(false);
  const photo = usePhoto(patient);
  const toggle = (/** @type {string} */ key) => tick(ticked.includes(key) ? ticked.filter((one) => one !== key) : [...ticked, key]);
  const open = async () => {
    setBusy(true);
    await attempt(begin);
    setBusy(false);
  };
  return html`<${Page} title=${t("confirm.title")} step=${html`<${Patient} patient=${patient} />`} icon="user" back=${back} backLabel=${backLabel ?? t("confirm.other")}
    extra=${html`${photo.may && html`<${Button} go=${() => pose(true)} icon="camera" class="button-quiet">${t("photo.take")}<//>`}${card && html`<${Button} go=${card} icon="qr-code" class="button-quiet">${t("card.print")}<//>`}`}
    main=${html`<${Main} go=${open} icon="check" busy=${busy} why=${ticked.length < 2 ? t("confirm.why", { n: 2 - ticked.length }) : ""}>${t("confirm.go")}<//>`}>
    ${posing && html`<${PhotoDialog} patient=${patient} url=${photo.url} look=${photo.look} close=${() => pose(false)} />`}
    <div class=${`identifiers ${photo.url ? "identifiers-photo" : ""}`}>
      ${photo.url && html`<img class="patient-photo" src=${photo.url} alt=${t("photo.of", { name: patient.name })} />`}
      ${identifiers(patient).map(
        ([key, question, answer]) => html`<button class="choice identifier" aria-pressed=${String(ticked.includes(key))} onClick=${() => toggle(key)}>
          <span class="tick-box"><${Icon} name="check" /></span><span class="soft">${question}</span><b><bdi>${answer}</bdi></b>
        </button>`,
      )}
    </div>
  <//>`;
}
