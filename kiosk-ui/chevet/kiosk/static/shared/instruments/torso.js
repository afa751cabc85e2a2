/** The drawn front of a person, of any sex, clothed below the waist. The patient's left is on the viewer's right. */

/** Right half as seen: neck, shoulder, arm, hand, side, hip, thigh. The other half is its mirror image. */
const HALF =
  "M200 96 L222 96 C222 114 225 124 240 131 C264 141 292 142 316 153 C338 163 346 184 350 208 " +
  "C354 234 357 254 361 278 C367 310 374 340 378 372 C381 392 386 410 384 428 C382 446 378 456 370 456 " +
  "C360 456 358 442 358 428 C358 410 360 396 358 384 C354 352 344 328 337 300 C331 278 327 254 319 226 " +
  "C320 250 315 272 309 298 C303 322 300 342 303 362 C306 384 312 402 314 424 C317 452 316 486 312 520 " +
  "L208 520 C207 494 204 470 200 456 Z";
const HALF_EDGE =
  "M222 96 C222 114 225 124 240 131 C264 141 292 142 316 153 C338 163 346 184 350 208 " +
  "C354 234 357 254 361 278 C367 310 374 340 378 372 C381 392 386 410 384 428 C382 446 378 456 370 456 " +
  "C360 456 358 442 358 428 C358 410 360 396 358 384 C354 352 344 328 337 300 C331 278 327 254 319 226 " +
  "C320 250 315 272 309 298 C303 322 300 342 303 362 C306 384 312 402 314 424 C317 452 316 486 312 520";
const HEAD =
  "M200 12 C226 12 242 32 241 60 C240 88 222 112 200 112 C178 112 160 88 159 60 C158 32 174 12 200 12 Z";
const HAIR = "M158 62 C154 26 174 6 200 6 C226 6 246 26 242 62 C238 44 228 34 200 34 C172 34 162 44 158 62 Z";
/** Fine lines of one half: collar bone, breast muscle, rib arch, flank. */
const HALF_LINES = [
  "M209 150 C232 146 268 144 304 158",
  "M206 246 C232 256 268 254 300 232",
  "M206 282 C226 292 244 312 254 338",
  "M318 222 C316 212 316 204 320 194",
];
const MIDDLE_LINES = ["M200 156 L200 268", "M200 366 C198 370 198 374 200 378"];
const CLOTH = "M40 404 C120 420 280 420 360 404 L330 404 L330 520 L70 520 L70 404 Z";

const MIRROR = 'transform="matrix(-1 0 0 1 400 0)"';

/** What front and back have in common. @param {string} id unique on the page, for the clips */
export function outline(id) {
  return {
    mirror: MIRROR,
    skin: `<defs><clipPath id="${id}"><path d="${HALF}"/><path d="${HALF}" ${MIRROR}/></clipPath>
      <clipPath id="${id}-hips"><rect x="78" y="380" width="244" height="140"/></clipPath></defs>
    <g class="body-skin"><path d="${HALF}"/><path d="${HALF}" ${MIRROR}/></g>`,
    cloth: `<g clip-path="url(#${id}-hips)"><path class="body-cloth" d="${CLOTH}" clip-path="url(#${id})"/></g>`,
    edge: `<g class="body-edge"><path d="${HALF_EDGE}"/><path d="${HALF_EDGE}" ${MIRROR}/></g>`,
  };
}

/** @param {string} id unique on the page, for the clip @returns {string} SVG markup of the figure */
export function torso(id) {
  const { skin, cloth, edge } = outline(id);
  const lines = HALF_LINES.map((d) => `<path d="${d}"/>`).join("");
  return `
    ${skin}
    <path class="body-shade" d="M178 100 C186 118 214 118 222 100 L222 122 C212 130 188 130 178 122 Z" clip-path="url(#${id})"/>
    ${cloth}
    <g class="body-lines">${lines}<g ${MIRROR}>${lines}</g>${MIDDLE_LINES.map((d) => `<path d="${d}"/>`).join("")}</g>
    ${edge}
    <path class="body-head" d="${HEAD}"/>
    <path class="body-hair" d="${HAIR}"/>`;
}
