/**
 * A keyboard on the glass, for a kiosk without keys: it comes when a finger (not a mouse) touches a field, and
 * goes with the field. Letters of the page's language; digits for fields that want digits.
 */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { useKiosk } from "/kiosk/store.js";

/** @typedef {HTMLInputElement | HTMLTextAreaElement} Field */

/** Rows of keys as people know them from their telephones. @type {Record<string, string[]>} */
const ROWS = {
  fr: ["éèàçôêîù'-", "azertyuiop", "qsdfghjklm", "wxcvbn,.?"],
  en: ["1234567890", "qwertyuiop", "asdfghjkl'", "zxcvbnm,.?"],
  ar: ["ضصثقفغعهخحج", "شسيبلاتنمكط", "ئءؤرىةوزظدذ", "أإآ،.؟"],
  // The 33 letters of IRCAM's Tifinagh in the order of its alphabet: most have learnt them as a list, not at a keyboard.
  zgh: ["ⴰⴱⴳⴷⴹⴻⴼⴽⵀⵃⵄ", "ⵅⵇⵉⵊⵍⵎⵏⵓⵔⵕⵖ", "ⵙⵚⵛⵜⵟⵡⵢⵣⵥⵯ", ",.?'-"],
  digits: ["1234567890"],
  // A passphrase is the same whatever language the page has, and was made up at a keyboard of Latin letters.
  secret: ["1234567890", "qwertyuiop", "asdfghjkl'", "zxcvbnm-.,?"],
  secret_fr: ["1234567890", "azertyuiop", "qsdfghjklm", "wxcvbn-.,'?"],
};

/** Scripts without capital letters; a name from a register in Latin letters is a touch away. */
const OTHER_SCRIPTS = ["ar", "zgh"];

/** @param {EventTarget | null} target @returns {Field | null} */
function fieldOf(target) {
  if (target instanceof HTMLTextAreaElement) return target;
  return target instanceof HTMLInputElement ? target : null;
}

export function TouchKeyboard() {
  const { language } = useKiosk();
  const [field, setField] = useState(/** @type {Field | null} */ (null));
  const [upper, setUpper] = useState(false);
  const [latin, setLatin] = useState(false);
  useEffect(() => follow(setField), []);
  useEffect(() => {
    document.body.classList.toggle("with-keys", field !== null);
    field?.scrollIntoView({ block: "nearest" });
  }, [field]);
  if (!field) return null;
  const digits = field.inputMode === "numeric";
  const secret = field.dataset.keys === "secret";
  const other = OTHER_SCRIPTS.includes(language) && !digits && !secret;
  const rows = ROWS[other && latin ? "fr" : digits ? "digits" : secret ? (language === "fr" ? "secret_fr" : "secret") : language] ?? ROWS.fr ?? [];
  const arabic = language === "ar" && other && !latin;
  const type = (/** @type {string} */ text) => {
    insert(field, upper ? text.toUpperCase() : text);
    setUpper(false);
  };
  return html`<div class="touch-keys" dir=${arabic ? "rtl" : "ltr"} role="group" aria-label=${t("keys.title")}
    onPointerDown=${(/** @type {PointerEvent} */ event) => event.preventDefault()}>
    ${rows.map((row) => html`<div class="touch-row">${[...row].map((letter) => html`<button tabindex="-1" onClick=${() => type(letter)}>${upper ? letter.toUpperCase() : letter}</button>`)}</div>`)}
    <div class="touch-row">
      ${!digits && (!other || latin) && html`<button tabindex="-1" class="touch-wide" aria-pressed=${String(upper)} aria-label=${t("keys.upper")} onClick=${() => setUpper(!upper)}><${Icon} name="arrow-up" /></button>`}
      ${other && html`<button tabindex="-1" class="touch-wide" aria-label=${t("keys.script")} aria-pressed=${String(latin)} onClick=${() => setLatin(!latin)}>${latin ? (language === "ar" ? "ابج" : "ⴰⴱⴳ") : "abc"}</button>`}
      ${!digits && html`<button tabindex="-1" class="touch-space" aria-label=${t("keys.space")} onClick=${() => type(" ")}></button>`}
      <button tabindex="-1" class="touch-wide" aria-label=${t("key.back")} onClick=${() => erase(field)}><${Icon} name="delete" /></button>
      <button tabindex="-1" class="touch-wide touch-done" onClick=${() => field.blur()}>${t("keys.done")}</button>
    </div>
  </div>`;
}

/**
 * Tell which field a finger is in. The keys come once the field has the focus, not when the finger goes down: they
 * move the page, and the rest of the same touch would land on something else.
 * @param {(field: Field | null) => void} tell @returns {() => void} stop
 */
function follow(tell) {
  let open = false;
  let finger = false;
  const show = (/** @type {Field | null} */ field) => {
    open = field !== null;
    tell(field);
  };
  const pointed = (/** @type {PointerEvent} */ event) => {
    finger = event.pointerType === "touch";
  };
  const chosen = (/** @type {Event} */ event) => {
    const field = fieldOf(event.target);
    if (finger && field && field === document.activeElement) show(field);
  };
  // Focus that moves on to another field takes the keys along.
  const left = (/** @type {FocusEvent} */ event) => {
    if (open) show(fieldOf(event.relatedTarget));
  };
  const heard = /** @type {[string, (event: any) => void][]} */ ([["pointerdown", pointed], ["click", chosen], ["focusout", left]]);
  for (const [name, listener] of heard) document.addEventListener(name, listener);
  return () => {
    for (const [name, listener] of heard) document.removeEventListener(name, listener);
    document.body.classList.remove("with-keys");
  };
}

/** @param {Field} field @param {string} text */
function insert(field, text) {
  const limit = field.maxLength > 0 ? field.maxLength : Infinity;
  if (field.value.length + text.length > limit) return;
  field.setRangeText(text, field.selectionStart ?? field.value.length, field.selectionEnd ?? field.value.length, "end");
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

/** @param {Field} field */
function erase(field) {
  const end = field.selectionEnd ?? field.value.length;
  const start = field.selectionStart ?? end;
  field.setRangeText("", start === end ? Math.max(0, start - 1) : start, end, "end");
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
}
