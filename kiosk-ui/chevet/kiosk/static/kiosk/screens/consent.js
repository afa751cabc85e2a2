/** Consent, purpose by purpose, in pictures. Care is needed; the rest is the patient's free choice. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { abandonVisit, giveConsent, goVisit } from "/kiosk/actions.js";
import { attempt } from "/kiosk/attempt.js";
import { Button, Dialog, Main, Page } from "/kiosk/parts.js";
import { SayThis } from "/kiosk/voice.js";

/** @typedef {import("/shared/types.js").Visit} Visit */

const PURPOSES = /** @type {const} */ ({ care: "hand-heart", recording: "mic", teaching: "graduation-cap", research: "flask-conical" });

/** @param {{ visit: Visit }} props */
export function ConsentPage({ visit }) {
  const [purposes, choose] = useState(visit.override ? [] : (visit.consent?.purposes ?? [])); // nobody was asked yet
  const [witness, setWitness] = useState(visit.consent?.witness ?? "");
  const [refusing, refuse] = useState(false);
  const toggle = (/** @type {string} */ purpose) =>
    choose(purposes.includes(purpose) ? purposes.filter((one) => one !== purpose) : [...purposes, purpose]);
  const save = () =>
    attempt(async () => {
      await giveConsent(purposes, witness.trim());
      goVisit(visit.reason ? "tiles" : "reason");
    });
  // An emergency: care begins, the study says that nobody was asked yet, and the instruments keep reminding.
  const later = () =>
    attempt(async () => {
      await giveConsent(["care"], "", "emergency");
      goVisit(visit.reason ? "tiles" : "reason");
    });
  return html`<${Page} title=${t("consent.title")} step=${t("consent.help")} icon="hand-heart" class="consent"
    extra=${html`${!visit.consent && html`<${Button} go=${later} icon="timer" class="button-quiet">${t("consent.later")}<//>`}<${Button} go=${() => refuse(true)} class="button-quiet">${t("consent.refuse")}<//>`}
    main=${html`<${Main} go=${save} icon="arrow-right" why=${purposes.includes("care") ? "" : t("consent.why")}>${t("consent.go")}<//>`}>
    <div class="choices choices-4">
      ${Object.entries(PURPOSES).map(
        ([purpose, icon]) => html`<div class="purpose-card"><button class="choice purpose" aria-pressed=${String(purposes.includes(purpose))} onClick=${() => toggle(purpose)}>
          <${Icon} name=${icon} size="44px" /><span class="choice-title">${t(`consent.${purpose}`)}</span>
          <span class="soft small">${t(`consent.${purpose}.help`)}</span>
          <span class="purpose-answer">${purposes.includes(purpose) ? html`<${Icon} name="check" />${t("do.yes")}` : t("do.no")}</span>
        </button><${SayThis} text=${t(`consent.${purpose}.help`)} label=${t("voice.say", { what: t(`consent.${purpose}`) })} /></div>`,
      )}
    </div>
    <div class="field witness"><label for="witness">${t("consent.witness")}</label>
      <input id="witness" autocomplete="off" dir=${witness ? "auto" : undefined} maxlength="64" value=${witness}
        onInput=${(/** @type {InputEvent & { target: HTMLInputElement }} */ event) => setWitness(event.target.value)} /></div>
    ${refusing && html`<${Refusal} close=${() => refuse(false)} />`}
  <//>`;
}

/** Care began before anybody could be asked: a touch asks now. */
export function AskConsent() {
  return html`<${Button} go=${() => goVisit("consent")} icon="hand-heart" class="ask-consent">${t("consent.later.now")}<//>`;
}

/** @param {{ close: () => void }} props */
function Refusal({ close }) {
  return html`<${Dialog} title=${t("consent.refuse.title")} close=${close}>
    <p>${t("consent.refuse.help")}</p>
    <div class="dialog-foot">
      <${Button} go=${close}>${t("do.back")}<//>
      <${Button} go=${() => attempt(() => abandonVisit("consent_refused"))} class="button-bad" icon="x">${t("consent.refuse.go")}<//>
    </div>
  <//>`;
}
