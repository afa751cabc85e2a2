/** Who may be asked at this site. */

import { now } from "/kiosk/store.js";

/** The specialty a reason or a programme proposes, or who is asked here in its place. @param {string} wanted */
export function askedHere(wanted) {
  const offered = now().status?.specialties ?? [];
  if (!offered.length || offered.includes(wanted)) return wanted;
  return offered.includes("general") ? "general" : (offered[0] ?? wanted);
}
