/**
 * Breaths counted by touch, a touch each. A small child's are counted for a whole minute, as they are uneven (WHO, Integrated
 * Management of Childhood Illness); those of others for half a minute.
 */

import { t } from "/shared/i18n.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Button, Main, Page } from "/kiosk/parts.js";
import { yearsOf } from "/kiosk/people.js";

/** @typedef {import("/shared/types.js").Patient} PatientShape */

const CHILD_YEARS = 5;
const CHILD_S = 60;
const OTHERS_S = 30;
const TICK_MS = 200;

/** How long to count. @param {PatientShape} patient an unknown age may be a child's */
export function countFor(patient) {
  const years = yearsOf(patient);
  return years === null || years < CHILD_YEARS ? CHILD_S : OTHERS_S;
}

/** @param {{ patient: PatientShape, icon: string, take: (perMinute: number) => void, back: () => void }} props */
export function Breaths({ patient, icon, take, back }) {
  const seconds = countFor(patient);
  const [began, begin] = useState(0);
  const [count, setCount] = useState(0);
  const [now, tick] = useState(0);
  const elapsed = began ? Math.min(seconds, (now - began) / 1000) : 0;
  const over = began > 0 && elapsed >= seconds;
  useEffect(() => {
    if (!began || over) return undefined;
    const timer = setInterval(() => tick(performance.now()), TICK_MS);
    return () => clearInterval(timer);
  }, [began, over]);
  const breathe = () => {
    if (over) return;
    if (!began) {
      begin(performance.now()); // the first touch starts the clock at its breath; what follows is counted
      tick(performance.now());
    } else setCount(count + 1);
  };
  const again = () => {
    begin(0);
    setCount(0);
  };
  const rate = Math.round((count * 60) / seconds);
  return html`<${Page} title=${t("exam.respiration")} icon=${icon} step=${t("breath.help", { n: seconds })} class="breaths" back=${back}
    extra=${began > 0 && html`<${Button} go=${again} icon="rotate-ccw" class="button-quiet">${t("breath.again")}<//>`}
    main=${html`<${Main} go=${() => take(rate)} icon="check" why=${over ? "" : t("breath.why")}>${over ? t("breath.take", { n: rate }) : t("vital.save")}<//>`}>
    <button class="breath" disabled=${over} onPointerDown=${breathe} onKeyDown=${(/** @type {KeyboardEvent} */ event) => [" ", "Enter"].includes(event.key) && !event.repeat && breathe()}>
      <count-ring elapsed=${elapsed} seconds=${seconds} label=${t("breath.count")}></count-ring>
      <bdi dir="ltr" class="breath-count">${count}</bdi><span>${t(began ? "breath.do" : "breath.start")}</span>
    </button>
  <//>`;
}
