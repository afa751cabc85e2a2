/** The drawn back of a person, of any sex, clothed below the waist. Seen from behind: the patient's left is on the viewer's left. */

import { outline } from "/shared/instruments/torso.js";

const HEAD =
  "M200 12 C226 12 242 32 241 60 C240 88 222 112 200 112 C178 112 160 88 159 60 C158 32 174 12 200 12 Z";
const HAIR =
  "M200 6 C230 6 248 30 244 66 C242 90 230 108 216 114 C206 118 194 118 184 114 C170 108 158 90 156 66 C152 30 170 6 200 6 Z";
/** Fine lines of one half: crest of the shoulder, shoulder blade, lowest rib, flank. */
const HALF_LINES = [
  "M214 148 C236 140 266 142 300 158",
  "M232 184 C246 178 270 178 284 188 C284 212 272 240 256 262 C242 246 232 214 232 184",
  "M212 318 C236 312 268 318 296 338",
  "M318 222 C316 212 316 204 320 194",
];
const SPINE = "M200 122 C198 190 202 260 200 372";

/** @param {string} id unique on the page, for the clip @returns {string} SVG markup of the figure */
export function torsoBack(id) {
  const lines = HALF_LINES.map((d) => `<path d="${d}"/>`).join("");
  const { skin, cloth, edge, mirror } = outline(id);
  return `${skin}${cloth}
    <g class="body-lines">${lines}<g ${mirror}>${lines}</g><path d="${SPINE}"/></g>
    ${edge}
    <path class="body-head" d="${HEAD}"/>
    <path class="body-hair" d="${HAIR}"/>`;
}
