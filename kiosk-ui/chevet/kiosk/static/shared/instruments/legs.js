/** The legs that go on where the drawn torso ends, for a whole person of 400 x 900. Front and back look the same here. */

/** Right half as seen; the other half is its mirror image. */
const LEG =
  "M312 506 C312 556 307 604 299 644 C292 672 293 692 295 718 C298 752 295 792 288 828 C284 846 287 856 296 866 " +
  "C304 878 296 888 276 888 C256 888 246 884 246 872 C246 858 250 846 250 828 C250 790 240 752 241 714 C242 690 241 668 235 642 C225 598 213 556 207 506";
const KNEE = "M252 642 C262 652 276 652 286 642";
const SHORTS = "M206 500 L313 500 C313 530 311 556 307 580 L224 580 C216 556 209 530 206 500 Z";

/** @param {string} mirror transform that makes the other half @returns {string} SVG markup, to be drawn under the torso */
export function legs(mirror) {
  return `<g class="body-skin"><path d="${LEG} Z"/><path d="${LEG} Z" ${mirror}/></g>
    <g class="body-lines"><path d="${KNEE}"/><path d="${KNEE}" ${mirror}/></g>
    <g class="body-edge"><path d="${LEG}"/><path d="${LEG}" ${mirror}/></g>
    <g class="body-cloth"><path d="${SHORTS}"/><path d="${SHORTS}" ${mirror}/></g>`;
}
