/** Fetches the pictures of the next screens before they are wanted: a tile never stands without its icon. */

import { EXAMS } from "/kiosk/exams.js";
import { SIGNS } from "/kiosk/screens/danger.js";
import { REASONS } from "/kiosk/screens/reason.js";
import { SPECIALTY_ICONS } from "/kiosk/screens/summary.js";

/** What stands on buttons and states of many screens. */
const SIGNS_OF_STATE = ["arrow-left", "check", "circle-dashed", "hand", "loader", "plug", "search", "unplug", "x"];

/** Held, so that the browser keeps them. @type {HTMLImageElement[]} */
const held = [];

export function warm() {
  const reasons = Object.values(REASONS).map(([icon]) => icon);
  const names = new Set([...SIGNS_OF_STATE, ...EXAMS.map(({ icon }) => icon), ...Object.values(SIGNS), ...reasons, ...Object.values(SPECIALTY_ICONS)]);
  for (const name of names) {
    const picture = new Image();
    picture.crossOrigin = "anonymous"; // as a mask is fetched, or the copy would not be the same
    picture.src = `/shared/icons/${name}.svg`;
    held.push(picture);
  }
}
