/**
 * `<level-meter>`: how strong a sound is, as twelve steps. Attribute `low` and `high` (0..1 on the scale) mark
 * the good range. Feed it with `push(samples, gain)`; it falls back slowly so that an eye can follow.
 */

const STEPS = 12;
const FLOOR_DB = -60;
const FALL_PER_S = 0.6;

/** Root mean square as 0..1 on a scale of 60 dB. @param {Int16Array | Int32Array} samples @param {number} gain @returns {number} */
export function loudness(samples, gain) {
  let sum = 0;
  for (const sample of samples) sum += (sample * gain) ** 2;
  const rms = Math.sqrt(sum / Math.max(1, samples.length));
  if (rms <= 0) return 0;
  return Math.max(0, Math.min(1, 1 - (20 * Math.log10(rms)) / FLOOR_DB));
}

const WIDTHS = [16, 24, 32];

/**
 * What makes the full scale of a sound 1: its gain where that says so (a device may round it), else that of 16 bits.
 * @param {number} gain @returns {number}
 */
export function toFullScale(gain) {
  return WIDTHS.some((bits) => Math.abs(gain * 2 ** (bits - 1) - 1) < 1e-3) ? gain : 2 ** -15;
}

export class LevelMeter extends HTMLElement {
  constructor() {
    super();
    this.level = 0;
    this.shown = -1;
    this.frame = 0;
    this.last = 0;
  }

  connectedCallback() {
    this.setAttribute("role", "meter");
    this.setAttribute("aria-valuemin", "0");
    this.setAttribute("aria-valuemax", String(STEPS));
    this.replaceChildren(...Array.from({ length: STEPS }, () => document.createElement("i")));
    this.frame = requestAnimationFrame((at) => this.tick(at));
  }

  disconnectedCallback() {
    cancelAnimationFrame(this.frame);
  }

  /** @param {Int16Array | Int32Array} samples @param {number} gain to full scale = 1 */
  push(samples, gain) {
    this.level = Math.max(this.level, loudness(samples, gain));
  }

  /** @param {string} name @param {number} otherwise */
  bound(name, otherwise) {
    return Number(this.getAttribute(name) ?? otherwise) * STEPS;
  }

  /** @param {number} at ms */
  tick(at) {
    this.level = Math.max(0, this.level - (FALL_PER_S * Math.min(250, at - this.last)) / 1000);
    this.last = at;
    const lit = Math.round(this.level * STEPS);
    if (lit !== this.shown) {
      this.shown = lit;
      [...this.children].forEach((step, i) => step.toggleAttribute("lit", i < lit));
      this.setAttribute("aria-valuenow", String(lit));
      this.setAttribute("zone", lit < this.bound("low", 0.2) ? "low" : lit > this.bound("high", 0.9) ? "high" : "good");
    }
    this.frame = requestAnimationFrame((next) => this.tick(next));
  }
}

customElements.define("level-meter", LevelMeter);
