/** When it began; for a stroke, when the person was last seen well. A touch where it is about, the clock where it is known. */

import { clock, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { goVisit, patchVisit } from "/kiosk/actions.js";
import { attempt } from "/kiosk/attempt.js";
import { Keypad, typed } from "/kiosk/keypad.js";
import { Main, Page } from "/kiosk/parts.js";
import { boxNow } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Visit} Visit */

const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;
const AGO_MIN = [0, 30, 60, 120, 180, 240, 360, 720];

/** The last time the clock showed this. @param {string} text up to four digits @returns {number | null} ms; null while it is no time */
export function lastTime(text, now = boxNow()) {
  if (text.length !== 4) return null;
  const [hour, minute] = [Number(text.slice(0, 2)), Number(text.slice(2))];
  if (hour > 23 || minute > 59) return null;
  const at = new Date(now);
  at.setHours(hour, minute, 0, 0);
  return at.getTime() > now ? at.getTime() - DAY_MS : at.getTime();
}

/** @param {{ visit: Visit }} props */
export function Onset({ visit }) {
  const [text, setText] = useState("");
  const [woke, setWoke] = useState(visit.history["onset.how"] === "woke_up");
  const at = lastTime(text);
  const keep = (/** @type {number | null} */ ms, /** @type {string} */ how) =>
    attempt(async () => {
      await patchVisit({ history: { "onset.at": ms === null ? "" : String(ms), "onset.how": ms !== null && woke ? "woke_up" : how } });
      goVisit("tiles");
    });
  const enter = () => at !== null && keep(at, "exact");
  const press = (/** @type {string} */ key) => setText((last) => typed(last, key, 4));
  const shown = `${text.slice(0, 2).padEnd(2, "\u2013")}:${text.slice(2).padEnd(2, "\u2013")}`;
  return html`<${Page} title=${t(visit.path === "stroke" ? "onset.title.stroke" : "onset.title")} icon="timer" step=${t("onset.help")} class="onset" back=${() => goVisit("tiles")}
    main=${html`<${Main} go=${enter} icon="check" why=${at === null ? t("onset.why") : ""}>${at === null ? t("vital.save") : t("onset.keep", { time: clock(at) })}<//>`}>
    <div class="vital-task">
      <div class="onset-choices">
        <div class="onset-about">${AGO_MIN.map((ago) => html`<button class="button" onClick=${() => keep(boxNow() - ago * MINUTE_MS, "about")}>${ago ? html`<bdi>${t("onset.ago", { n: ago < 60 ? `${ago} min` : `${ago / 60} h` })}</bdi>` : t("onset.now")}</button>`)}</div>
        <button class="button onset-woke" aria-pressed=${String(woke)} onClick=${() => setWoke(!woke)}><${Icon} name=${woke ? "check" : "circle"} />${t("onset.woke_up")}</button>
        <button class="button" onClick=${() => keep(null, "unknown")}>${t("onset.unknown")}</button>
      </div>
      <div class="onset-clock"><bdi dir="ltr" class="vital-number">${shown}</bdi><${Keypad} press=${press} enter=${enter} /></div>
    </div>
  <//>`;
}
