/** The last seconds of a live signal, by sample index. What never arrived is NaN, never a guess. */

/** @typedef {import("/shared/types.js").SampleFrame} SampleFrame */

export class WaveBuffer {
  /**
   * @param {string[]} names channel names
   * @param {number} rateHz
   * @param {number} seconds how much to keep
   * @param {number} highpassHz corner of the display's one-pole high-pass; 0 shows the signal as it is
   */
  constructor(names, rateHz, seconds, highpassHz = 0) {
    this.names = names;
    this.rateHz = rateHz;
    this.length = Math.max(1, Math.round(rateHz * seconds));
    this.values = names.map(() => new Float32Array(this.length).fill(NaN));
    this.off = names.map(() => new Uint8Array(this.length));
    /** Index of the next sample; NaN before the first frame. */
    this.next = NaN;
    this.keep = highpassHz > 0 ? Math.exp((-2 * Math.PI * highpassHz) / rateHz) : 0;
    this.lastIn = names.map(() => NaN);
    this.lastOut = names.map(() => 0);
  }

  /** @param {SampleFrame} frame @returns {boolean} whether the frame belongs to this buffer */
  fits(frame) {
    const names = frame.header.channels.map((channel) => channel.name);
    return frame.header.rate_hz === this.rateHz && names.join() === this.names.join();
  }

  /** @param {SampleFrame} frame @param {ReadonlySet<string>} off channels without contact now */
  add(frame, off) {
    const { first, count } = frame.header;
    this.reach(first);
    for (const [from, missing] of [...(frame.header.gaps ?? []), [first + count, 0]]) {
      frame.channels.forEach((samples, c) => {
        this.write(c, samples.subarray(this.next - first, from - first), frame.header, off.has(this.names[c] ?? ""));
      });
      this.next = from;
      this.reach(from + missing); // the filter begins anew after a gap: its zeros are far below electrodes of 300 mV
    }
  }

  /** Make `first` the next index: a jump ahead leaves a gap, a jump back (device restarted) starts anew. @param {number} first */
  reach(first) {
    if (first < this.next) this.values.forEach((channel) => channel.fill(NaN));
    else if (first > this.next) this.blank(Math.max(this.next, first - this.length), first);
    if (first !== this.next) this.lastIn.fill(NaN);
    this.next = first;
  }

  /** @param {number} from @param {number} to */
  blank(from, to) {
    for (let i = from; i < to; i++) for (const channel of this.values) channel[i % this.length] = NaN;
  }

  /** Write samples that follow each other from `next` on. @param {number} c @param {Int16Array | Int32Array} samples @param {import("/shared/types.js").WaveHeader} header @param {boolean} off */
  write(c, samples, header, off) {
    const { gain = 1, offset = 0 } = header.channels[c] ?? {};
    const values = this.values[c];
    const flags = this.off[c];
    if (!values || !flags) return;
    for (let i = 0; i < samples.length; i++) {
      const at = (this.next + i) % this.length;
      values[at] = this.filtered(c, (samples[i] ?? 0) * gain + offset);
      flags[at] = off ? 1 : 0;
    }
  }

  /** @param {number} c @param {number} value */
  filtered(c, value) {
    if (!this.keep) return value;
    const before = this.lastIn[c] ?? NaN;
    const out = Number.isNaN(before) ? 0 : this.keep * ((this.lastOut[c] ?? 0) + value - before);
    this.lastIn[c] = value;
    this.lastOut[c] = out;
    return out;
  }

  /** Largest distance from zero in what is kept, channels without contact left out. */
  reachOfSignal() {
    let peak = 0;
    this.values.forEach((channel, c) => {
      const flags = this.off[c];
      for (let i = 0; i < channel.length; i++) {
        const size = Math.abs(channel[i] ?? NaN);
        if (size > peak && !flags?.[i]) peak = size;
      }
    });
    return peak;
  }
}
