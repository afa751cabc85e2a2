/**
 * The headphone test: three low tones, each in one ear only. A laptop's loudspeaker plays neither the depth nor
 * the side, so that nobody passes it by luck alone (one in eight). Pure but for the tone itself.
 */

/** Where the first heart sound has most of its energy; small loudspeakers fade below 150 Hz. */
export const TEST_HZ = 60;
const TONE_S = 1.2;
const LEVEL = 0.35;
const TRIALS = 3;
const KEPT = "chevet.headphones";

/** @typedef {"left" | "right"} Side */
/** @typedef {"unknown" | "headphones" | "loudspeaker"} Hearing */

/** What was found in this session. @returns {Hearing} */
export function hearing() {
  const kept = sessionStorage.getItem(KEPT);
  return kept === "headphones" || kept === "loudspeaker" ? kept : "unknown";
}

/** @param {Hearing} found */
export function keepHearing(found) {
  sessionStorage.setItem(KEPT, found);
}

export class EarTest {
  /** @param {() => number} random 0 to 1 @param {(side: Side) => void} play */
  constructor(random, play) {
    this.play = play;
    this.random = random;
    this.done = 0;
    /** @type {Side} */ this.side = "left";
  }

  /** Choose a side and play there. */
  ask() {
    this.side = this.random() < 0.5 ? "left" : "right";
    this.play(this.side);
  }

  /**
   * @param {Side | "nowhere"} heard
   * @returns {"again" | "passed" | "failed"}
   */
  answer(heard) {
    if (heard !== this.side) return "failed";
    this.done += 1;
    if (this.done >= TRIALS) return "passed";
    this.ask();
    return "again";
  }
}

/** @param {Side} side */
export function playTone(side) {
  const context = new AudioContext();
  const tone = new OscillatorNode(context, { frequency: TEST_HZ });
  const level = new GainNode(context, { gain: 0 });
  const now = context.currentTime;
  level.gain.setValueAtTime(0, now);
  level.gain.linearRampToValueAtTime(LEVEL, now + 0.15);
  level.gain.setValueAtTime(LEVEL, now + TONE_S - 0.15);
  level.gain.linearRampToValueAtTime(0, now + TONE_S);
  tone.connect(level).connect(new StereoPannerNode(context, { pan: side === "left" ? -1 : 1 })).connect(context.destination);
  tone.addEventListener("ended", () => void context.close());
  tone.start(now);
  tone.stop(now + TONE_S);
}
