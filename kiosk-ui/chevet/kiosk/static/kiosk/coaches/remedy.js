/**
 * What to do about each reason of the quality engine, as a picture of 96 x 96: the thing, the hand, and an arrow where it goes.
 * Pictures of a body's side are never mirrored; none of these shows a side.
 */

import { html } from "/shared/vendor/htm-preact/standalone.module.js";

/** An arrow. @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 */
function arrow(x1, y1, x2, y2) {
  const turn = Math.atan2(y2 - y1, x2 - x1);
  const barb = (/** @type {number} */ by) => `${(x2 - 10 * Math.cos(turn + by)).toFixed(1)} ${(y2 - 10 * Math.sin(turn + by)).toFixed(1)}`;
  return `<path class="r-go" d="M${x1} ${y1} L${x2} ${y2} M${barb(0.6)} L${x2} ${y2} L${barb(-0.6)}"/>`;
}
/** @param {string} d */ const line = (d) => `<path class="r-line" d="${d}"/>`;
/** @param {string} d */ const thing = (d) => `<path class="r-thing" d="${d}"/>`;
/** @param {string} d */ const skin = (d) => `<path class="r-skin" d="${d}"/>`;
/** @param {string} d */ const no = (d) => `<path class="r-no" d="${d}"/>`;
/** @param {number} x @param {number} y @param {number} r @param {string} [look] */
const dot = (x, y, r, look = "thing") => `<circle class="r-${look}" cx="${x}" cy="${y}" r="${r}"/>`;

const BODY = skin("M-4 74 C30 64 66 64 100 74 L100 100 L-4 100 Z");
const ELECTRODE = dot(48, 64, 17) + dot(48, 64, 6, "fill");
const FINGER_DOWN = skin("M38 -4 L38 34 C38 50 58 50 58 34 L58 -4") + line("M42 34 C42 28 54 28 54 34");
const CHEST_PIECE = line("M48 2 L48 36") + dot(48, 56, 20) + dot(48, 56, 12, "line");
const HAND = skin(
  "M34 94 L32 68 L20 52 C15 44 23 38 29 45 L36 54 L36 22 C36 13 46 13 46 22 L46 44 L46 15 C46 6 56 6 56 15 L56 44 L57 20 C57 12 66 12 66 20 L66 48 L67 31 C67 23 76 23 76 31 L76 66 L70 94 Z",
);
const PLUG = line("M2 70 L30 70") + thing("M30 56 L54 56 L54 84 L30 84 Z") + line("M54 63 L64 63 M54 77 L64 77");
const SOCKET = thing("M72 50 L94 50 L94 90 L72 90 Z");
const CLIP = thing("M24 40 L84 40 C92 40 92 54 84 54 L24 54 Z M24 60 L84 60 C92 60 92 74 84 74 L24 74 Z");
const CLOCK = dot(48, 48, 34) + line("M48 26 L48 48 L62 58");
const SUN = dot(48, 44, 13, "light") + `<path class="r-ray" d="M48 14 L48 22 M48 66 L48 74 M18 44 L26 44 M70 44 L78 44 M27 23 L33 29 M63 59 L69 65 M69 23 L63 29 M33 59 L27 65"/>`;
const SCOPE = thing("M58 30 L88 22 L92 46 L60 48 Z") + thing("M58 32 L30 40 L30 44 L60 46 Z") + thing("M70 46 L86 44 L92 92 L76 94 Z");
const EAR = skin("M58 86 C46 92 38 84 38 74 C38 64 26 58 25 42 C24 22 38 10 54 10 C72 10 82 24 80 42 C78 55 68 58 66 70 C65 78 66 82 58 86 Z") + line("M40 44 C40 28 66 26 66 42 C66 54 54 52 54 66");
const PERSON = dot(22, 44, 12, "skin") + skin("M32 56 L40 48 L92 48 L92 76 L6 76 L6 60 Z");
const FACE = dot(48, 48, 36, "skin") + dot(36, 38, 3, "fill") + dot(60, 38, 3, "fill");
const HEART = `<path class="r-bad" d="M48 88 C20 66 14 50 24 40 C34 31 44 38 48 48 C52 38 62 31 72 40 C82 50 76 66 48 88 Z"/>`;
const WAVE = line("M4 48 L24 48 L30 40 L36 66 L44 14 L52 76 L58 48 L92 48");
const PICTURE = thing("M10 18 L86 18 L86 78 L10 78 Z") + line("M10 68 L34 44 L52 62 L66 50 L86 68");
const EYE = line("M6 48 C26 20 70 20 90 48 C70 76 26 76 6 48 Z") + dot(48, 48, 13, "fill");
const TURN = `<path class="r-go" d="M76 62 A32 32 0 1 1 78 38 M80 20 L79 40 L60 36"/>`;
const OK = `<path class="r-ok" d="M52 76 L64 88 L88 58"/>`;
const SHAKES = no("M10 26 C4 40 4 56 10 70 M86 26 C92 40 92 56 86 70");

/** @type {Record<string, string>} by the reason's code */
export const REMEDIES = {
  lead_off: BODY + ELECTRODE + FINGER_DOWN + arrow(80, 20, 80, 52),
  flat: PLUG + SOCKET + arrow(24, 32, 62, 32),
  saturated: BODY + ELECTRODE + FINGER_DOWN + arrow(80, 52, 80, 20),
  mains_hum: thing("M10 24 L36 24 L36 72 L10 72 Z") + line("M18 66 L28 66") + dot(74, 48, 15) + line("M70 44 L70 52 M78 44 L78 52 M74 63 L74 92") + no("M4 14 L44 82 M44 14 L4 82"),
  tremor: PERSON + `<path class="r-fill" d="M40 40 C58 34 76 34 94 40 L94 84 L40 84 Z"/>` + arrow(64, 4, 64, 28),
  baseline_wander: skin("M14 96 L14 50 C14 30 82 30 82 50 L82 96 Z") + dot(48, 18, 14, "skin") + line("M22 66 C34 54 40 54 48 66 C56 78 64 78 74 66"),
  motion: HAND + SHAKES + no("M4 90 L92 6"),
  lead_swap: dot(20, 48, 14) + dot(20, 48, 6, "bad") + dot(76, 48, 14) + dot(76, 48, 6, "light") + `<path class="r-go" d="M24 24 C36 8 60 8 72 24 M72 10 L73 26 L58 22 M72 72 C60 88 36 88 24 72 M24 86 L23 70 L38 74"/>`,
  too_short: CLOCK + `<path class="r-go" d="M48 8 A40 40 0 1 1 14 27"/>`,
  cut_short: CLOCK + `<path class="r-go" d="M48 8 A40 40 0 1 1 47 8"/>` + OK,
  gaps: line("M2 70 C20 70 22 40 38 40 M58 40 C74 40 76 70 94 70") + no("M42 28 L54 52 M54 28 L42 52"),
  friction: BODY + CHEST_PIECE + no("M6 48 L20 48 M12 40 L4 48 L12 56 M90 48 L76 48 M84 40 L92 48 L84 56 M10 88 L86 12"),
  room_noise: FACE + line("M38 66 C44 70 52 70 58 66") + skin("M44 96 L44 58 C44 50 54 50 54 58 L54 96 Z"),
  too_faint: BODY + CHEST_PIECE + arrow(82, 24, 82, 58) + arrow(14, 24, 14, 58),
  clipping: BODY + CHEST_PIECE + arrow(82, 58, 82, 24) + arrow(14, 58, 14, 24),
  no_heart_sound: HEART + dot(20, 18, 15) + dot(20, 18, 8, "line") + arrow(40, 14, 66, 14) + arrow(72, 14, 72, 34),
  low_perfusion: HAND + `<path class="r-warm" d="M82 50 C76 42 90 38 84 28 M94 50 C88 42 102 38 96 28 M8 34 C2 26 16 22 10 12"/>`,
  no_pulse: HAND + `<path class="r-mark" d="M57 20 C57 12 66 12 66 20 L66 40 L57 40 Z"/>` + arrow(40, 4, 58, 6),
  sensor_off: CLIP + skin("M-4 50 L46 50 C58 50 58 66 46 66 L-4 66 Z") + arrow(8, 26, 44, 26),
  searching: CLOCK + line("M4 92 L92 92"),
  artifact: HAND + SHAKES + no("M4 90 L92 6"),
  no_signal: PLUG + SOCKET + arrow(24, 32, 62, 32),
  out_of_focus: thing("M28 30 L68 30 L68 76 L28 76 Z") + dot(48, 53, 14, "line") + arrow(22, 12, 4, 12) + arrow(74, 12, 92, 12) + line("M22 12 L74 12"),
  overexposed: SUN + arrow(86, 14, 86, 70) + line("M20 88 L76 88"),
  underexposed: SUN + arrow(86, 70, 86, 14) + line("M20 88 L76 88"),
  glare: SCOPE + `<path class="r-go" d="M14 20 C4 34 4 52 14 66 M4 58 L15 68 L22 54"/>`,
  fog: SCOPE + skin("M4 66 C14 52 30 54 36 62 L40 74 L20 90 L4 84 Z") + arrow(26, 26, 44, 22),
  no_eardrum_in_view: EAR + arrow(76, 22, 92, 4),
  wax: PICTURE + dot(48, 42, 9, "light") + OK,
  not_judged: EYE,
  rate_wrong: thing("M8 30 L40 30 L40 66 L8 66 Z") + no("M4 24 L44 72 M44 24 L4 72") + thing("M56 30 L88 30 L88 66 L56 66 Z") + OK,
  other: WAVE + TURN,
};

/** @param {{ reason: string }} props code, with or without what it is about */
export function Remedy({ reason }) {
  const drawn = REMEDIES[reason.split(":")[0] ?? ""] ?? REMEDIES.other ?? "";
  return html`<svg class="remedy" viewBox="-2 -2 100 100" aria-hidden="true" dangerouslySetInnerHTML=${{ __html: drawn }}></svg>`;
}
