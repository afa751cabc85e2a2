/**
 * `<sound-player>`: heart or lung sound with waveform, spectrogram and one cursor.
 *
 * Attributes: `point` (body point, in words), `layer-label`, `watermark`.
 * Methods: `load(bytes, mediaType)`; a second load keeps the place, the speed and the loop.
 * Properties: `words`, `state`, `overlay` (drafts and signals recorded with the sound, from `sound-player-over`).
 * Events: `loaded`, `refused` (the bytes could not be decoded).
 * Keys: space plays, arrows move by half a second, L loops, H halves the speed, 1 2 3 choose the filter.
 */

import { decode, SOUND_FILTERS, SoundChain } from "./sound-player-chain.js";
import { boxes, drawMoving, drawStill } from "./sound-player-draw.js";
import { RATE_HZ, spectrum } from "./sound-player-spectrum.js";
import { EarTest, hearing, keepHearing, playTone } from "./sound-player-ears.js";
import { LANE_PX, laneCount, NOTHING } from "./sound-player-over.js";
import { SOUND_STYLE, soundMarkup } from "./sound-player-face.js";

/** @typedef {import("./sound-player-chain.js").SoundFilter} SoundFilter */
/** @typedef {import("./sound-player-face.js").Words} Words */

export { ENGLISH } from "./sound-player-face.js";

const SCREEN_PX = 240;

export class SoundPlayer extends HTMLElement {
  static observedAttributes = ["point", "layer-label", "watermark"];

  /** @type {SoundChain | null} */ #chain = null;
  /** @type {{sound: Float32Array, spectrum: import("./sound-player-spectrum.js").Spectrum, duration_s: number} | null} */
  #sound = null;
  /** @type {{from_s: number, to_s: number} | null} */ #span = null;
  /** @type {SoundFilter} */ #filter = "wide";
  #looping = false;
  /** @type {import("./sound-player-over.js").Overlay} */ #overlay = NOTHING;
  /** @type {EarTest | null} */ #ears = null;
  #face = soundMarkup();
  #frame = 0;
  #watcher = new ResizeObserver(() => this.#redraw());

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [SOUND_STYLE];
    root.append(this.#face.root);
    this.#listen();
    this.words = this.#face.words;
  }

  connectedCallback() {
    this.#watcher.observe(this.#face.still);
  }

  disconnectedCallback() {
    this.#watcher.disconnect();
    cancelAnimationFrame(this.#frame);
    this.#chain?.close();
    this.#chain = null;
    this.#sound = null;
  }

  attributeChangedCallback() {
    this.#label();
  }

  get words() {
    return this.#face.words;
  }

  set words(/** @type {Words} */ words) {
    this.#face.speak(words);
    this.#label();
    this.#redraw();
  }

  get overlay() {
    return this.#overlay;
  }

  set overlay(overlay) {
    this.#overlay = overlay;
    this.#face.tall(SCREEN_PX + laneCount(overlay) * LANE_PX);
    this.#redraw();
  }

  /** What a reader (or a test) may want to know. */
  get state() {
    const audio = this.#chain?.audio;
    return {
      loaded: this.#sound !== null,
      duration_s: this.#sound?.duration_s ?? 0,
      at_s: audio?.currentTime ?? 0,
      playing: audio ? !audio.paused : false,
      rate: audio?.playbackRate ?? 1,
      keeps_pitch: audio?.preservesPitch ?? true,
      filter: this.#filter,
      looping: this.#looping,
      span: this.#span,
      hearing: hearing(),
      ear_test: this.#ears?.side ?? "",
    };
  }

  /**
   * @param {ArrayBuffer} bytes a WAV file, or Opus in Ogg
   * @param {string} mediaType
   */
  async load(bytes, mediaType) {
    const before = this.state;
    this.#chain?.close();
    this.#chain = new SoundChain(new Blob([bytes], { type: mediaType }));
    this.#chain.audio.addEventListener("ended", () => this.#playState());
    Object.assign(this.#chain.audio, { playbackRate: before.rate, loop: before.looping });
    if (before.at_s > 0) this.#chain.audio.currentTime = before.at_s;
    this.#face.warn(hearing() === "loudspeaker");
    try {
      const sound = await decode(bytes, RATE_HZ);
      this.#sound = { sound, spectrum: spectrum(sound), duration_s: sound.length / RATE_HZ };
    } catch {
      this.#sound = null;
      this.#face.refused(true);
      this.dispatchEvent(new Event("refused"));
      return;
    }
    this.#face.refused(false);
    this.#applyFilter(this.#filter);
    this.#redraw();
    this.#playState();
    this.dispatchEvent(new Event("loaded"));
  }

  #listen() {
    const { play, loop, half, gain, filters, moving, ears } = this.#face;
    play.addEventListener("click", () => void this.#toggle());
    loop.addEventListener("click", () => this.#setLoop(!this.#looping));
    half.addEventListener("click", () => this.#setHalf());
    gain.addEventListener("input", () => this.#applyFilter(this.#filter));
    for (const [name, button] of filters) button.addEventListener("click", () => this.#applyFilter(name));
    moving.addEventListener("pointerdown", (event) => this.#pressed(event));
    for (const button of [ears.start, ears.again]) button.addEventListener("click", () => this.#testEars());
    for (const heard of /** @type {const} */ (["left", "right", "nowhere"])) ears[heard].addEventListener("click", () => this.#heard(heard));
    ears.anyway.addEventListener("click", () => this.#endTest("loudspeaker"));
    this.#face.root.addEventListener("keydown", (event) => this.#keyed(event));
  }

  async #toggle() {
    if (!this.#chain || !this.#sound) return;
    if (!this.#chain.audio.paused) this.#chain.pause();
    else if (hearing() !== "unknown") await this.#start();
    else this.#face.earTest("start");
    this.#playState();
  }

  #testEars() {
    this.#ears = new EarTest(Math.random, playTone);
    this.#ears.ask();
    this.#face.earTest("where");
  }

  #heard(/** @type {"left" | "right" | "nowhere"} */ where) {
    const result = this.#ears?.answer(where);
    if (result === "passed") this.#endTest("headphones");
    else if (result === "failed") this.#face.earTest("failed");
  }

  #endTest(/** @type {import("./sound-player-ears.js").Hearing} */ found) {
    keepHearing(found);
    this.#ears = null;
    this.#face.earTest("");
    this.#face.warn(found === "loudspeaker");
    void this.#toggle();
  }

  async #start() {
    if (this.#span && this.#looping) this.#seek(this.#span.from_s);
    try {
      await this.#chain?.play();
    } catch {
      this.#face.refused(true);
    }
    this.#tick();
  }

  #tick() {
    cancelAnimationFrame(this.#frame);
    this.#drawCursor();
    const audio = this.#chain?.audio;
    if (!audio || audio.paused) return;
    if (this.#span && this.#looping && audio.currentTime >= this.#span.to_s) this.#seek(this.#span.from_s);
    this.#frame = requestAnimationFrame(() => this.#tick());
  }

  #playState() {
    this.#face.playing(this.state.playing);
    this.#drawCursor();
  }

  #seek(/** @type {number} */ at_s) {
    if (!this.#chain || !this.#sound) return;
    this.#chain.audio.currentTime = Math.min(this.#sound.duration_s, Math.max(0, at_s));
    this.#drawCursor();
  }

  #setLoop(/** @type {boolean} */ on) {
    this.#looping = on;
    if (this.#chain) this.#chain.audio.loop = on;
    this.#face.press(this.#face.loop, on);
  }

  #setHalf() {
    if (!this.#chain) return;
    const half = this.#chain.audio.playbackRate === 1;
    this.#chain.audio.playbackRate = half ? 0.5 : 1;
    this.#face.press(this.#face.half, half);
  }

  #applyFilter(/** @type {SoundFilter} */ name) {
    this.#filter = name;
    for (const [other, button] of this.#face.filters) this.#face.press(button, other === name);
    const gain_db = Number(this.#face.gain.value);
    this.#face.gainText.textContent = `+${gain_db} dB`;
    this.#chain?.set(name, gain_db);
    this.#drawCursor();
  }

  /** What is heard, printed on the picture of it: the picture itself is of the unfiltered sound. */
  #hearing() {
    const { low_hz, high_hz } = SOUND_FILTERS[this.#filter];
    return `${this.words[this.#filter]} \u2066${low_hz}–${high_hz} Hz\u2069`;
  }

  #label() {
    this.#face.label(this.getAttribute("point") ?? "", this.getAttribute("layer-label") ?? "", this.getAttribute("watermark") ?? "");
  }

  #redraw() {
    const canvas = this.#face.still;
    if (!this.#sound || canvas.clientWidth === 0) return;
    drawStill(this.#fitted(canvas), canvas.clientWidth, canvas.clientHeight, this.#sound, this.#overlay, this.words);
    this.#drawCursor();
  }

  #drawCursor() {
    const canvas = this.#face.moving;
    if (!this.#sound || canvas.clientWidth === 0) return;
    const { at_s, duration_s } = this.state;
    const now = { at_s, duration_s, loop: this.#span, label: this.#hearing() };
    drawMoving(this.#fitted(canvas), canvas.clientWidth, canvas.clientHeight, now);
    this.#face.time(at_s, duration_s);
  }

  #fitted(/** @type {HTMLCanvasElement} */ canvas) {
    const [width, height] = [canvas.clientWidth * devicePixelRatio, canvas.clientHeight * devicePixelRatio].map(Math.round);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    ctx.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    ctx.direction = "ltr";
    return ctx;
  }

  #second(/** @type {PointerEvent} */ event) {
    const canvas = this.#face.moving;
    const { left, width } = boxes(canvas.clientWidth, canvas.clientHeight);
    const x = event.clientX - canvas.getBoundingClientRect().left - left;
    return Math.min(1, Math.max(0, x / width)) * this.state.duration_s;
  }

  /** A tap moves the cursor; a drag marks the stretch that loops. */
  #pressed(/** @type {PointerEvent} */ event) {
    if (!this.#sound || event.button !== 0) return;
    const from = this.#second(event);
    const canvas = this.#face.moving;
    canvas.setPointerCapture(event.pointerId);
    const move = (/** @type {PointerEvent} */ next) => {
      const to = this.#second(next);
      if (Math.abs(to - from) < 0.15) return;
      this.#span = { from_s: Math.min(from, to), to_s: Math.max(from, to) };
      this.#drawCursor();
    };
    const before = this.#span;
    canvas.addEventListener("pointermove", move);
    canvas.addEventListener(
      "pointerup",
      () => {
        canvas.removeEventListener("pointermove", move);
        if (this.#span === before) this.#span = null;
        else this.#setLoop(true);
        this.#seek(this.#span?.from_s ?? from);
      },
      { once: true },
    );
  }

  #keyed(/** @type {KeyboardEvent} */ event) {
    if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return;
    const filters = /** @type {SoundFilter[]} */ (["bell", "diaphragm", "wide"]);
    if (event.key === " " && !(event.target instanceof HTMLButtonElement)) void this.#toggle();
    else if (event.key === "ArrowRight") this.#seek(this.state.at_s + 0.5);
    else if (event.key === "ArrowLeft") this.#seek(this.state.at_s - 0.5);
    else if (event.key === "l") this.#setLoop(!this.#looping);
    else if (event.key === "h") this.#setHalf();
    else if ("123".includes(event.key)) this.#applyFilter(filters[Number(event.key) - 1]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

customElements.define("sound-player", SoundPlayer);
