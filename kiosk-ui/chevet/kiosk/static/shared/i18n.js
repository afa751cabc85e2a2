/**
 * Words in the person's language. One JSON file per language and room; `t(key, params)` looks a word up.
 * A string with plural forms is an object of CLDR categories and is chosen by `params.n`.
 */

import { tamazightDate, tamazightLength } from "/shared/tamazight.js";

/** @typedef {Record<string, string | Record<string, string>>} Strings */
/** @typedef {string | number} Param */

/** Own name of each language, in the order the switches show them. */
export const LANGUAGES = /** @type {const} */ ({ fr: "Français", ar: "العربية", zgh: "ⵜⴰⵎⴰⵣⵉⵖⵜ", en: "English" });

/** Locale of numbers and dates; digits stay Latin in all of them, as at Moroccan health centres. Browsers do not know zgh. */
const LOCALES = /** @type {Record<string, string>} */ ({ fr: "fr-MA-u-nu-latn", ar: "ar-MA-u-nu-latn", zgh: "fr-MA-u-nu-latn", en: "en-GB" });
/** CLDR has no plural rules for zgh: one thing is one, all else is several, none too. */
const PLURALS = /** @type {Record<string, string>} */ ({ zgh: "en" });
/** In the head of a strings file: who still has to look at it. It is a mark, not a word of the screens. */
const HEAD = "@translation";
const RTL = new Set(["ar"]);

/** @type {{ language: string, strings: Strings, plural: Intl.PluralRules }} */
const now = { language: "fr", strings: {}, plural: new Intl.PluralRules("fr") };

/** The words did not come: the box is away, or starts just now. */
export class NotLoaded extends Error {}

/** @param {string} url @returns {Promise<Strings>} */
async function load(url) {
  const response = await fetch(url).catch(() => null);
  if (!response?.ok) throw new NotLoaded(`Strings not found: ${url}`);
  return response.json().catch(() => {
    throw new NotLoaded(`Strings cut short: ${url}`);
  });
}

/**
 * Load a language and turn the page to it (`lang`, `dir`).
 * @param {string} language one of LANGUAGES
 * @param {string[]} rooms folders that hold `strings/{language}.json`, such as "/shared" and "/kiosk"
 */
export async function setLanguage(language, rooms) {
  const parts = await Promise.all(rooms.map((room) => load(`${room}/strings/${language}.json`)));
  now.strings = Object.assign({}, ...parts);
  now.language = language;
  now.plural = new Intl.PluralRules(PLURALS[language] ?? locale(language));
  document.documentElement.lang = language;
  document.documentElement.dir = RTL.has(language) ? "rtl" : "ltr";
}

export function language() {
  return now.language;
}

/** @param {string} [of] */
export function locale(of = now.language) {
  return LOCALES[of] ?? of;
}

/** Whether a speaker has still to confirm the words of this language. */
export function unconfirmed() {
  return HEAD in now.strings;
}

/** @param {string} key */
export function has(key) {
  return key in now.strings;
}

/**
 * @param {string} key
 * @param {Record<string, Param>} [params] `{name}` in the string is replaced; `n` also chooses the plural form
 * @returns {string} the key itself where the string is missing, so that it shows
 */
export function t(key, params = {}) {
  const found = now.strings[key];
  if (found === undefined) return key;
  const text = typeof found === "string" ? found : form(found, Number(params.n));
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in params ? isolate(params[name] ?? "") : whole));
}

/** @param {Record<string, string>} forms @param {number} n */
function form(forms, n) {
  return forms[n === 0 && forms.zero ? "zero" : now.plural.select(n)] ?? forms.other ?? "";
}

/** Numbers keep their order and names their direction inside a right-to-left sentence. @param {Param} value */
function isolate(value) {
  const text = typeof value === "number" ? number(value) : value;
  if (!RTL.has(now.language)) return text;
  return /^[\d\s.,:/%+\u2212-]+$/.test(text) ? `\u2066${text}\u2069` : `\u2068${text}\u2069`;
}

/** @param {number} value @param {number} [digits] decimals, at most */
export function number(value, digits = 1) {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);
}

/** @param {number} ms @param {Intl.DateTimeFormatOptions} [options] */
export function date(ms, options = { day: "numeric", month: "long", year: "numeric" }) {
  if (now.language === "zgh") return tamazightDate(new Date(ms), options, locale());
  return new Intl.DateTimeFormat(locale(), options).format(new Date(ms));
}

/** Hour and minute, 24 hours. @param {number} ms */
export function clock(ms) {
  return date(ms, { hour: "2-digit", minute: "2-digit", hour12: false });
}

/** How long ago, in the largest whole unit ("3 minutes"). @param {number} seconds */
export function age(seconds) {
  /** @type {[number, string][]} */
  const units = [[86400, "day"], [3600, "hour"], [60, "minute"]];
  const [size, unit] = units.find(([length]) => seconds >= length) ?? [0, ""];
  if (!size) return t("age.now");
  const count = Math.floor(seconds / size);
  if (now.language === "zgh") return tamazightLength(count, unit, now.plural.select(count) === "one");
  const text = new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "long" });
  return text.format(count);
}

/** The same in few letters, for a bar ("3 h"). @param {number} seconds */
export function ageShort(seconds) {
  const [size, unit] = seconds >= 86400 ? [86400, "day"] : seconds >= 3600 ? [3600, "hour"] : [60, "minute"];
  return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: now.language === "zgh" ? "narrow" : "short" }).format(Math.floor(seconds / size));
}

/** A reason code such as "lead_off:V3" as a sentence. @param {string} reason */
export function reasonText(reason) {
  const [code = "", ...rest] = reason.split(":");
  const detail = rest.join(":");
  const key = detail && has(`reason.${code}.detail`) ? `reason.${code}.detail` : `reason.${code}`;
  return has(key) ? t(key, { detail }) : t("reason.other");
}
