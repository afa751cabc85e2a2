/**
 * Dates and lengths of time in Standard Moroccan Tamazight. Browsers ship CLDR without its `zgh` data, so the few
 * words that Intl would give stand here, as CLDR 44 has them; numbers and the order of a date are those of French.
 */

const MONTHS = ["ⵉⵏⵏⴰⵢⵔ", "ⴱⵕⴰⵢⵕ", "ⵎⴰⵕⵚ", "ⵉⴱⵔⵉⵔ", "ⵎⴰⵢⵢⵓ", "ⵢⵓⵏⵢⵓ", "ⵢⵓⵍⵢⵓⵣ", "ⵖⵓⵛⵜ", "ⵛⵓⵜⴰⵏⴱⵉⵔ", "ⴽⵜⵓⴱⵔ", "ⵏⵓⵡⴰⵏⴱⵉⵔ", "ⴷⵓⵊⴰⵏⴱⵉⵔ"];
const DAYS = ["ⴰⵙⴰⵎⴰⵙ", "ⴰⵢⵏⴰⵙ", "ⴰⵙⵉⵏⴰⵙ", "ⴰⴽⵕⴰⵙ", "ⴰⴽⵡⴰⵙ", "ⴰⵙⵉⵎⵡⴰⵙ", "ⴰⵙⵉⴹⵢⴰⵙ"];
const UNITS = /** @type {Record<string, [string, string]>} */ ({
  day: ["ⵡⴰⵙⵙ", "ⵡⵓⵙⵙⴰⵏ"], hour: ["ⵜⵙⵔⴰⴳⵜ", "ⵜⵙⵔⴰⴳⵉⵏ"], minute: ["ⵜⵓⵙⴷⵉⴷⵜ", "ⵜⵓⵙⴷⵉⴷⵉⵏ"],
});

/** @param {Date} at @param {Intl.DateTimeFormatOptions} options @param {string} locale that gives the order and the digits */
export function tamazightDate(at, options, locale) {
  const parts = new Intl.DateTimeFormat(locale, options).formatToParts(at);
  const named = (/** @type {Intl.DateTimeFormatPart} */ { type, value }) => {
    if (/\d/.test(value)) return value;
    if (type === "month") return MONTHS[at.getMonth()];
    if (type === "weekday") return DAYS[at.getDay()];
    return type === "literal" ? value.replace("à", "ⴳ") : value;
  };
  return parts.map(named).join("");
}

/** "3 days", "1 hour". @param {number} count @param {string} unit "day", "hour" or "minute" @param {boolean} one */
export function tamazightLength(count, unit, one) {
  const [single = "", several = ""] = UNITS[unit] ?? [];
  return `${count} ${one ? single : `ⵏ ${several}`}`;
}
