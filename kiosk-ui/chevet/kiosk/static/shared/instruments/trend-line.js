/**
 * `<trend-line>`: one or two numbers over days, dot by dot. Time runs left to right in every language, as on paper. Between two
 * dots nothing was measured, so the line between them is thin and dashed.
 *
 * Attributes: `label` (read aloud), `limit` (a level drawn across). Property `series`: [[{ at_ms, value }, ..], ..], oldest first;
 * property `format`: (ms) => text under the first and the last day.
 */

/** @typedef {{ at_ms: number, value: number }} Dot */

const WIDTH = 320;
const HEIGHT = 132;
const ROOM = { left: 40, right: 14, top: 10, bottom: 24 };
const LEAST_SPAN = 0.04; // of the value: a trend of one kilogram does not look like a cliff

export class TrendLine extends HTMLElement {
  static observedAttributes = ["label", "limit"];

  constructor() {
    super();
    /** @type {Dot[][]} */
    this.rows = [];
    /** @type {(ms: number) => string} */
    this.format = (ms) => new Date(ms).toISOString().slice(5, 10);
  }

  /** @param {Dot[][]} rows */
  set series(rows) {
    this.rows = rows.filter((row) => row.length);
    this.show();
  }

  connectedCallback() {
    this.setAttribute("dir", "ltr");
    this.show();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.show();
  }

  show() {
    const dots = this.rows.flat();
    if (!dots.length) {
      this.replaceChildren();
      return;
    }
    const at = scaleOf(dots, Number(this.getAttribute("limit")) || null);
    const lines = this.rows.map((row, n) => line(row, at, n)).join("");
    const limit = at.limit === null ? "" : `<line class="trend-limit" x1="${ROOM.left}" x2="${WIDTH - ROOM.right}" y1="${at.y(at.limit)}" y2="${at.y(at.limit)}"/>`;
    const times = dots.map(({ at_ms }) => at_ms);
    const [first, last] = [Math.min(...times), Math.max(...times)];
    this.innerHTML = `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">
      ${at.marks.map((value) => `<line class="trend-grid" x1="${ROOM.left}" x2="${WIDTH - ROOM.right}" y1="${at.y(value)}" y2="${at.y(value)}"/>
        <text class="trend-text" x="${ROOM.left - 6}" y="${at.y(value) + 4}" text-anchor="end">${value}</text>`).join("")}
      ${limit}${lines}
      <text class="trend-text" x="${at.x(first)}" y="${HEIGHT - 6}" text-anchor="${first === last ? "middle" : "start"}">${this.format(first)}</text>
      ${first === last ? "" : `<text class="trend-text" x="${at.x(last)}" y="${HEIGHT - 6}" text-anchor="end">${this.format(last)}</text>`}
    </svg>`;
    this.querySelector("svg")?.setAttribute("aria-label", this.getAttribute("label") ?? "");
  }
}

/** @param {Dot[]} dots @param {number | null} limit shown where it is near what was measured */
function scaleOf(dots, limit) {
  const values = dots.map(({ value }) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const near = limit !== null && limit <= most * 1.2 && limit >= least * 0.8 ? limit : null;
  const [bottom, top] = [Math.min(least, near ?? least), Math.max(most, near ?? most)];
  const spare = Math.max((top - bottom) * 0.15, (Math.abs(top) * LEAST_SPAN) / 2);
  const [low, high] = [bottom - spare, top + spare];
  const times = dots.map(({ at_ms }) => at_ms);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const width = WIDTH - ROOM.left - ROOM.right;
  const height = HEIGHT - ROOM.top - ROOM.bottom;
  return {
    limit: near,
    marks: roundMarks(low, high),
    x: (/** @type {number} */ ms) => round(ROOM.left + (last === first ? width / 2 : 8 + ((ms - first) / (last - first)) * (width - 16))),
    y: (/** @type {number} */ value) => round(ROOM.top + height - ((value - low) / (high - low)) * height),
  };
}

/** Two to four round values inside. @param {number} low @param {number} high */
function roundMarks(low, high) {
  const rough = (high - low) / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((one) => one * power >= rough) ?? 10) * power;
  const marks = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) marks.push(Math.round(value * 100) / 100);
  return marks;
}

/** @param {Dot[]} row @param {ReturnType<typeof scaleOf>} at @param {number} n which line */
function line(row, at, n) {
  const path = row.map(({ at_ms, value }, i) => `${i ? "L" : "M"}${at.x(at_ms)} ${at.y(value)}`).join(" ");
  const dots = row.map(({ at_ms, value }, i) => `<circle class="trend-dot${i === row.length - 1 ? " trend-newest" : ""}" cx="${at.x(at_ms)}" cy="${at.y(value)}" r="${i === row.length - 1 ? 5.5 : 4}"/>`).join("");
  return `<g class="trend-row-${n}"><path class="trend-path" d="${path}"/>${dots}</g>`;
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}

customElements.define("trend-line", TrendLine);
