/** A big number pad that also listens to the keyboard. Never mirrored: telephones are not. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useLayoutEffect, useRef } from "/shared/vendor/htm-preact/standalone.module.js";

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];

/** @param {{ press: (key: string) => void, enter: () => void, point?: string }} props `point`: the decimal sign, where decimals are wanted */
export function Keypad({ press, enter, point = "" }) {
  const latest = useRef({ press, enter });
  latest.current = { press, enter };
  useLayoutEffect(() => {
    const typed = (/** @type {KeyboardEvent} */ event) => {
      if (document.querySelector("dialog[open]")) return;
      if (/^\d$/.test(event.key)) latest.current.press(event.key);
      else if ((event.key === "." || event.key === ",") && point) latest.current.press(".");
      else if (event.key === "Backspace") latest.current.press("back");
      else if (event.key === "Enter" && !(event.target instanceof HTMLButtonElement)) latest.current.enter();
    };
    addEventListener("keydown", typed);
    return () => removeEventListener("keydown", typed);
  }, [point]);
  return html`<div class="keypad" dir="ltr">
    ${DIGITS.map((digit) => html`<button class="key" onClick=${() => press(digit)}>${digit}</button>`)}
    ${point ? html`<button class="key" aria-label=${t("key.point")} onClick=${() => press(".")}>${point}</button>` : html`<span></span>`}
    <button class="key" onClick=${() => press("0")}>0</button>
    <button class="key key-back" aria-label=${t("key.back")} onClick=${() => press("back")}><${Icon} name="delete" size="28px" /></button>
  </div>`;
}

/** What a key makes of the text typed so far. @param {string} text @param {string} key @param {number} longest */
export function typed(text, key, longest) {
  if (key === "back") return text.slice(0, -1);
  if (key === "." && (text.includes(".") || !text)) return text;
  return text.length < longest ? text + key : text;
}
