/** Arrows and circles on a picture: kept with the case at once, each reader's own. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { keepDrawing } from "/desk/actions.js";
import { Flip } from "/desk/fetched.js";

/** @typedef {import("/desk/types.js").Drawing} Drawing */
/** @typedef {import("/shared/instruments/picture-viewer-draw.js").Shape} Shape */
/** @typedef {{shape: Shape, mine: boolean, by: string}} Marked */

/** @param {Drawing[]} drawings @param {string} recording @param {number} number of the picture @param {string} me @returns {Marked[]} */
export function shapesOn(drawings, recording, number, me) {
  return drawings
    .filter((one) => one.recording === recording && one.picture === number)
    .flatMap(({ shapes, author }) => shapes.map((shape) => ({ shape, mine: author.id === me, by: author.name })));
}

/** @param {Marked[]} shapes */
const mineOf = (shapes) => shapes.filter((one) => one.mine).map((one) => one.shape);

/** @param {{ tool: string, choose: (tool: string) => void, recording: string, number: number, shapes: Marked[] }} props */
export function DrawTools({ tool, choose, recording, number, shapes }) {
  const mine = mineOf(shapes);
  const others = [...new Set(shapes.filter((one) => !one.mine).map((one) => one.by))];
  const flip = (/** @type {string} */ name) => choose(tool === name ? "" : name);
  return html`<span class="draw-tools" role="group" aria-label=${t("draw.title")}>
    <${Flip} on=${tool === "arrow"} icon="arrow-up" label=${t("draw.arrow")} flip=${() => flip("arrow")} />
    <${Flip} on=${tool === "circle"} icon="circle" label=${t("draw.circle")} flip=${() => flip("circle")} />
    ${mine.length ? html`<button type="button" class="flip" onClick=${() => keepDrawing(recording, number, mine.slice(0, -1))}><${Icon} name="delete" />${t("draw.undo")}</button>` : ""}
  </span>
  ${tool ? html`<span class="soft small">${t("draw.how")}</span>` : ""}
  ${others.length ? html`<span class="soft small">${t("draw.by", { names: others.join(", ") })}</span>` : ""}`;
}

/** @param {string} recording @param {number} number @param {Marked[]} shapes @param {Shape} shape */
DrawTools.add = (recording, number, shapes, shape) => void keepDrawing(recording, number, [...mineOf(shapes), shape]);
