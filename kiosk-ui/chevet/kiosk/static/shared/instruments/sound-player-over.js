/** What lies over and under the sound: draft states of the heart, the murmur envelope, the room's noise, and signals recorded with it. */

/** @typedef {import("./ecg-paper-wave.js").Wave} Wave */
/** @typedef {[number, number, "s1" | "systole" | "s2" | "diastole"]} State seconds from and to */
/**
 * @typedef {object} Overlay null where it is switched off or cannot be had
 * @property {State[] | null} states
 * @property {{band_hz: number[], step_s: number, level: (number | null)[]} | null} envelope level 0 to 1
 * @property {{band_hz: number[], step_s: number, level_db: (number | null)[]} | null} noise dB below the loudest peak
 * @property {{label: string, wave: Wave}[]} lanes
 */

/** @type {Overlay} */
export const NOTHING = { states: null, envelope: null, noise: null, lanes: [] };
export const LANE_PX = 62;

const COLOURS = { s1: "rgba(53, 194, 255, 0.30)", s2: "rgba(43, 213, 118, 0.30)", letters: { s1: "#7FD9FF", s2: "#7BEBAC" }, envelope: "#FF7BAC", noise: "#C4B5FD", lane: "#2BD576", pleth: "#35C2FF", text: "#E8EEF4", soft: "#93A4B5" };
const FONT = '600 11px "Noto Sans", "Noto Sans Arabic", system-ui, sans-serif';
const NOISE_DB = { least: -80, most: -20 };

/** How many lanes stand under the spectrogram. @param {Overlay} overlay */
export function laneCount(overlay) {
  return overlay.lanes.length + (overlay.noise ? 1 : 0);
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Overlay} overlay
 * @param {{left: number, width: number, wave: {y: number, height: number}, lanes: number}} box `lanes`: top of the first
 * @param {number} duration_s
 * @param {{draft: string, envelope: string, noise: string}} words
 */
export function drawOverlay(ctx, overlay, box, duration_s, words) {
  if (overlay.states) drawStates(ctx, overlay.states, box, duration_s, words.draft);
  if (overlay.envelope) drawEnvelope(ctx, overlay.envelope, box, duration_s, words.envelope);
  let top = box.lanes;
  for (const lane of overlay.lanes) {
    drawLane(ctx, lane, { left: box.left, width: box.width, y: top, height: LANE_PX }, duration_s);
    top += LANE_PX;
  }
  if (overlay.noise) drawNoise(ctx, overlay.noise, { left: box.left, width: box.width, y: top, height: LANE_PX }, duration_s, words.noise);
}

/** S1 and S2 as bands with their names, and the word that they are drafts. @param {CanvasRenderingContext2D} ctx @param {State[]} states @param {any} box @param {number} duration_s @param {string} draft */
function drawStates(ctx, states, { left, width, wave }, duration_s, draft) {
  ctx.font = FONT;
  ctx.textAlign = "center";
  ctx.textBaseline = "bottom";
  const x = (/** @type {number} */ s) => left + (s / duration_s) * width;
  let last = -Infinity;
  for (const [from, to, state] of states) {
    if (state !== "s1" && state !== "s2") continue;
    ctx.fillStyle = COLOURS[state];
    ctx.fillRect(x(from), wave.y, Math.max(2, x(to) - x(from)), wave.height);
    const middle = (x(from) + x(to)) / 2;
    if (middle - last < 15) continue;
    last = middle;
    ctx.fillStyle = COLOURS.letters[state];
    ctx.fillText(state.toUpperCase(), middle, wave.y + wave.height - 1);
  }
  label(ctx, left + width - 6, wave.y + 8, draft, COLOURS.letters.s1);
}

/** @param {CanvasRenderingContext2D} ctx @param {NonNullable<Overlay["envelope"]>} envelope @param {any} box @param {number} duration_s @param {string} word */
function drawEnvelope(ctx, { level, step_s, band_hz }, { left, width, wave }, duration_s, word) {
  const place = (/** @type {number} */ at) => left + (((at + 0.5) * step_s) / duration_s) * width;
  line(ctx, level, place, (value) => wave.y + wave.height - 2 - value * (wave.height - 12), COLOURS.envelope, 1.6);
  label(ctx, left + width - 6, wave.y + 24, `${word} \u2066${band_hz[0]}–${band_hz[1]} Hz\u2069`, COLOURS.envelope);
}

/** @param {CanvasRenderingContext2D} ctx @param {NonNullable<Overlay["noise"]>} noise @param {{left: number, width: number, y: number, height: number}} box @param {number} duration_s @param {string} word */
function drawNoise(ctx, { level_db, step_s, band_hz }, box, duration_s, word) {
  const place = (/** @type {number} */ at) => box.left + (((at + 0.5) * step_s) / duration_s) * box.width;
  const share = (/** @type {number} */ db) => Math.min(1, Math.max(0, (db - NOISE_DB.least) / (NOISE_DB.most - NOISE_DB.least)));
  line(ctx, level_db, place, (db) => box.y + box.height - 8 - share(db) * (box.height - 30), COLOURS.noise, 1.6);
  ctx.fillStyle = COLOURS.soft;
  ctx.font = FONT;
  ctx.textAlign = "right";
  for (const db of [-60, -30]) ctx.fillText(`${db} dB`, box.left - 6, box.y + box.height - 4 - share(db) * (box.height - 30));
  ctx.textAlign = "left";
  ctx.fillText(`${word} \u2066${band_hz[0]}–${band_hz[1]} Hz\u2069`, box.left + 6, box.y + 14);
}

/** A signal recorded at the same time, at its own full height; gaps stay open. @param {CanvasRenderingContext2D} ctx @param {{label: string, wave: Wave}} lane @param {{left: number, width: number, y: number, height: number}} box @param {number} duration_s */
function drawLane(ctx, { label: name, wave }, box, duration_s) {
  const values = /** @type {(number | null)[]} */ (Array.from(wave.leads[0]?.values ?? []));
  for (const [first, count] of wave.gaps) values.fill(null, first, first + count);
  const there = values.filter((value) => value !== null);
  const [low, high] = there.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
  const place = (/** @type {number} */ at) => box.left + (at / wave.rate_hz / duration_s) * box.width;
  const down = (/** @type {number} */ value) => box.y + box.height - 6 - ((value - low) / (high - low || 1)) * (box.height - 26);
  line(ctx, values, place, down, wave.unit === "mV" ? COLOURS.lane : COLOURS.pleth, 1.4);
  ctx.fillStyle = COLOURS.text;
  ctx.font = FONT;
  ctx.textAlign = "left";
  ctx.textBaseline = "bottom";
  ctx.fillText(name, box.left + 6, box.y + 14);
}

/** @param {CanvasRenderingContext2D} ctx @param {(number | null)[]} values @param {(at: number) => number} x @param {(value: number) => number} y @param {string} colour @param {number} width */
function line(ctx, values, x, y, colour, width) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.lineJoin = "round";
  ctx.beginPath();
  let drawing = false;
  values.forEach((value, at) => {
    if (value === null) drawing = false;
    else if (drawing) ctx.lineTo(x(at), y(value));
    else ctx.moveTo(x(at), y(value));
    drawing = value !== null;
  });
  ctx.stroke();
}

/** @param {CanvasRenderingContext2D} ctx @param {number} right @param {number} y @param {string} text @param {string} colour */
function label(ctx, right, y, text, colour) {
  ctx.font = FONT;
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  ctx.fillStyle = "rgba(15, 23, 32, 0.78)";
  ctx.fillRect(right - ctx.measureText(text).width - 5, y - 7, ctx.measureText(text).width + 10, 15);
  ctx.fillStyle = colour;
  ctx.fillText(text, right, y);
}
