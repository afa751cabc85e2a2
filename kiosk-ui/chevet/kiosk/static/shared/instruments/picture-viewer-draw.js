/** Arrows and circles on a picture, in shares of its width and height, so that they stay where they were put. Pure. */

/**
 * @typedef {object} Shape
 * @property {"arrow" | "circle"} kind
 * @property {number} x0 tail of an arrow, middle of a circle; 0 to 1 of the picture's width
 * @property {number} y0
 * @property {number} x1 tip of an arrow, edge of a circle
 * @property {number} y1
 */

/** An arrow's head: its sides' length in parts of the picture's width, and their angle to the shaft. */
const HEAD = { length: 0.035, angle: 0.45 };
/** Shorter than this a movement was a tap, in parts of the picture. */
export const LEAST = 0.015;

/**
 * Where a spot of the stage lies on the picture, which fills the stage as `object-fit: contain` does.
 *
 * @param {{x: number, y: number}} spot px from the stage's corner
 * @param {{width: number, height: number}} stage px
 * @param {{width: number, height: number}} picture natural size
 * @param {{zoom: number, x: number, y: number}} view
 * @returns {{x: number, y: number}} 0 to 1
 */
export function onPicture(spot, stage, picture, view) {
  const fit = Math.min(stage.width / picture.width, stage.height / picture.height);
  const [left, top] = [(stage.width - picture.width * fit) / 2, (stage.height - picture.height * fit) / 2];
  const share = (/** @type {number} */ value) => Math.min(1, Math.max(0, value));
  return {
    x: share(((spot.x - view.x) / view.zoom - left) / (picture.width * fit)),
    y: share(((spot.y - view.y) / view.zoom - top) / (picture.height * fit)),
  };
}

/**
 * @param {Shape} shape
 * @param {{width: number, height: number}} picture natural size
 * @returns {string} path of an SVG in the picture's own pixels
 */
export function pathOf({ kind, x0, y0, x1, y1 }, { width, height }) {
  const [ax, ay, bx, by] = [x0 * width, y0 * height, x1 * width, y1 * height].map((value) => Math.round(value * 10) / 10);
  if (kind === "circle") {
    const r = Math.max(1, Math.round(Math.hypot(bx - ax, by - ay)));
    return `M${ax - r} ${ay} a${r} ${r} 0 1 0 ${2 * r} 0 a${r} ${r} 0 1 0 ${-2 * r} 0`;
  }
  const along = Math.atan2(by - ay, bx - ax);
  const side = (/** @type {number} */ turn) => {
    const [dx, dy] = [Math.cos(along + turn), Math.sin(along + turn)].map((part) => part * HEAD.length * width);
    return `M${bx} ${by} L${(bx - dx).toFixed(1)} ${(by - dy).toFixed(1)}`;
  };
  return `M${ax} ${ay} L${bx} ${by} ${side(HEAD.angle)} ${side(-HEAD.angle)}`;
}

/**
 * @param {{shape: Shape, mine: boolean, by: string}[]} shapes
 * @param {{width: number, height: number}} picture
 * @returns {SVGElement[]} each with a dark edge below, so that it shows on any ground
 */
export function drawn(shapes, picture) {
  return shapes.map(({ shape, mine, by }) => {
    const group = document.createElementNS("http://www.w3.org/2000/svg", "g");
    group.setAttribute("class", mine ? "mine" : "theirs");
    const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
    title.textContent = by;
    group.append(title);
    for (const look of ["edge", "line"]) {
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("class", look);
      path.setAttribute("d", pathOf(shape, picture));
      group.append(path);
    }
    return group;
  });
}
