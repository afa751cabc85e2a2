/** Which languages this box offers, by its settings; all until it has answered. */

import { LANGUAGES } from "/shared/i18n.js";
import { now } from "/kiosk/store.js";

/** @returns {[string, string][]} code and own name */
export function offered() {
  const wanted = now().status?.languages ?? [];
  const all = Object.entries(LANGUAGES);
  const some = all.filter(([code]) => wanted.includes(code));
  return some.length ? some : all;
}
