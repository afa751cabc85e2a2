/** Live sound through the headphones: each piece behind the one before, and silence where nothing came. */

/** @typedef {import("/shared/types.js").SampleFrame} SampleFrame */

/** Pieces wait this long, so that one that is a little late does not tear the sound. */
const AHEAD_S = 0.15;
/** Further behind than this the player catches up: live means now. */
const BEHIND_S = 0.6;

export class LiveSound {
  /** Made when the reader presses the button: browsers play nothing before. */
  constructor() {
    this.context = new AudioContext();
    this.gain = this.context.createGain();
    this.gain.connect(this.context.destination);
    this.at = 0;
    this.next = NaN;
  }

  /** @param {SampleFrame} frame */
  push(frame) {
    const { first, count, rate_hz } = frame.header;
    const { gain = 1 } = frame.header.channels[0] ?? {};
    const now = this.context.currentTime;
    if (!Number.isNaN(this.next)) this.at += (first - this.next) / rate_hz; // a gap is heard as silence of its length
    if (!(this.at >= now && this.at <= now + BEHIND_S)) this.at = now + AHEAD_S;
    const buffer = this.context.createBuffer(1, count, rate_hz);
    buffer.copyToChannel(Float32Array.from(frame.channels[0] ?? [], (value) => value * gain), 0);
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.gain);
    source.start(this.at);
    this.at += count / rate_hz;
    this.next = first + count;
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.gain.gain.value = muted ? 0 : 1;
  }

  close() {
    void this.context.close();
  }
}
