/**
 * What the ear hears: an `<audio>` element (half speed keeps the pitch), through the chosen filter and gain.
 * The stored sound is never touched.
 */

/** @typedef {"wide" | "bell" | "diaphragm"} SoundFilter */

/** @type {Record<SoundFilter, {low_hz: number, high_hz: number}>} Playback filters of the display norms. */
export const SOUND_FILTERS = {
  wide: { low_hz: 20, high_hz: 2000 },
  bell: { low_hz: 20, high_hz: 200 },
  diaphragm: { low_hz: 100, high_hz: 500 },
};
/** A fourth-order Butterworth slope from two second-order sections, in dB as Web Audio wants its Q. */
const SECTIONS_Q = [-5.333, 2.323];

export class SoundChain {
  /** @param {Blob} blob */
  constructor(blob) {
    this.url = URL.createObjectURL(blob);
    this.audio = new Audio(this.url);
    this.audio.preservesPitch = true;
    /** @type {AudioContext | null} */ this.context = null;
    /** @type {{high: BiquadFilterNode[], low: BiquadFilterNode[], gain: GainNode} | null} */ this.nodes = null;
    /** @type {SoundFilter} */ this.filter = "wide";
    this.gain_db = 0;
  }

  /** Start to play. The audio context is made here, after a press, or browsers keep it asleep. */
  async play() {
    if (!this.context) this.#wire();
    await this.context?.resume();
    await this.audio.play();
  }

  pause() {
    this.audio.pause();
  }

  /** @param {SoundFilter} filter @param {number} gain_db */
  set(filter, gain_db) {
    this.filter = filter;
    this.gain_db = gain_db;
    if (!this.nodes) return;
    const { low_hz, high_hz } = SOUND_FILTERS[filter];
    this.nodes.high.forEach((node) => (node.frequency.value = low_hz));
    this.nodes.low.forEach((node) => (node.frequency.value = high_hz));
    this.nodes.gain.gain.value = 10 ** (gain_db / 20);
  }

  close() {
    this.audio.pause();
    this.audio.removeAttribute("src");
    void this.context?.close();
    URL.revokeObjectURL(this.url);
  }

  #wire() {
    const context = new AudioContext();
    const band = (/** @type {BiquadFilterType} */ type) =>
      SECTIONS_Q.map((q) => new BiquadFilterNode(context, { type, Q: q }));
    const nodes = { high: band("highpass"), low: band("lowpass"), gain: new GainNode(context) };
    const order = [...nodes.high, ...nodes.low, nodes.gain];
    order.reduce((from, to) => /** @type {AudioNode} */ (from.connect(to)), /** @type {AudioNode} */ (
      context.createMediaElementSource(this.audio)
    ));
    nodes.gain.connect(context.destination);
    this.context = context;
    this.nodes = nodes;
    this.set(this.filter, this.gain_db);
  }
}

/**
 * Decode to mono at a rate of our choosing.
 *
 * @param {ArrayBuffer} bytes WAV, or Opus in Ogg
 * @param {number} rate_hz
 * @returns {Promise<Float32Array>}
 */
export async function decode(bytes, rate_hz) {
  const context = new OfflineAudioContext(1, 1, rate_hz);
  const buffer = await context.decodeAudioData(bytes.slice(0));
  return buffer.getChannelData(0);
}
