/** The face of `<sound-player>`: its elements, words and style. */

/** @typedef {import("./sound-player-chain.js").SoundFilter} SoundFilter */

export const ENGLISH = {
  play: "Play",
  pause: "Pause",
  loop: "Loop",
  half: "Half speed",
  gain: "Volume",
  filter: "Filter",
  bell: "Bell",
  diaphragm: "Diaphragm",
  wide: "Wide",
  picture: "Waveform and spectrogram, unfiltered",
  headphones: "Put on headphones: a laptop's loudspeaker leaves out the low sounds of a heart. Three low tones follow; say on which side you hear each.",
  headphones_start: "Start the test",
  headphones_where: "Where was the low tone?",
  headphones_left: "Left",
  headphones_right: "Right",
  headphones_nowhere: "I heard nothing",
  headphones_failed: "That was not heard as it was played: these are probably no headphones, or they are the wrong way round. Low sounds and murmurs may be missing.",
  headphones_again: "Test again",
  headphones_anyway: "Listen anyway",
  headphones_warning: "not tested on headphones: low sounds may be missing",
  draft: "S1, S2: draft",
  envelope: "murmur envelope, draft",
  noise: "room noise, estimated between the sounds",
  refused: "This sound could not be read. Ask for the full data, or for a retake.",
};
/** @typedef {typeof ENGLISH} Words */

export const SOUND_STYLE = new CSSStyleSheet();
SOUND_STYLE.replaceSync(`
  :host { display: block; font: 400 14px/1.4 var(--font, system-ui); color: var(--ink, #14213D); }
  [hidden] { display: none !important; }
  .title { display: flex; gap: 8px 12px; align-items: baseline; flex-wrap: wrap; margin-block-end: 8px; }
  .title b { font-weight: 600; font-size: 15px; }
  .layer { color: var(--attention-ink, #7A4B00); background: var(--attention-tint, #FFF1CC); border-radius: 999px; padding: 1px 10px; font-weight: 600; font-size: 12px; }
  .training { background: var(--training, #FFD400); color: #000; border-radius: 6px; padding: 1px 8px; font-weight: 600; font-size: 12px; }
  .time { margin-inline-start: auto; color: var(--soft, #5B6478); font-variant-numeric: tabular-nums; direction: ltr; }
  .screen { position: relative; height: 240px; direction: ltr; border-radius: 12px; overflow: hidden; background: #0F1720; }
  canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
  .moving { cursor: col-resize; touch-action: pan-y; }
  .controls { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; margin-block-start: 10px; }
  button { font: 600 14px/1.2 var(--font, system-ui); min-height: 40px; padding: 4px 13px; border-radius: 999px; cursor: pointer;
    border: 1px solid var(--line-strong, #8F8A80); background: var(--surface, #FFF); color: inherit; touch-action: manipulation; }
  button[aria-pressed="true"] { background: var(--primary, #0F6B5C); border-color: var(--primary, #0F6B5C); color: var(--on-primary, #FFF); }
  button:focus-visible, input:focus-visible { outline: 3px solid var(--focus, #1D4E89); outline-offset: 2px; }
  .play { display: inline-flex; align-items: center; gap: 8px; background: var(--primary, #0F6B5C); color: var(--on-primary, #FFF); border-color: transparent; padding-inline: 18px; }
  .play::before { content: ""; width: 18px; height: 18px; background: currentcolor; mask: var(--shape) center / contain no-repeat; -webkit-mask: var(--shape) center / contain no-repeat; }
  .play { --shape: url(/shared/icons/play.svg); }
  .play.on { --shape: url(/shared/icons/pause.svg); }
  .group { display: inline-flex; gap: 4px;  }
  label { display: inline-flex; align-items: center; gap: 8px; color: var(--soft, #5B6478); }
  input[type="range"] { width: 90px; accent-color: var(--primary, #0F6B5C); }
  .db { font-variant-numeric: tabular-nums; direction: ltr; min-width: 48px; }
  .notice { display: flex; flex-wrap: wrap; gap: 12px; align-items: center; margin-block-start: 10px; padding: 10px 14px; border-radius: 12px;
    background: var(--attention-tint, #FFF1CC); color: var(--attention-ink, #7A4B00); font-weight: 600; }
  .notice .row { display: flex; flex-wrap: wrap; gap: 8px; }
  .notice p { margin: 0; flex: 1 1 260px; }
  .notice.bad { background: var(--bad-tint, #FCE8E6); color: var(--bad, #B3261E); }
`);

/**
 * @param {string} tag
 * @param {string} name class
 * @param {(Node | string)[]} children
 * @returns {any}
 */
function make(tag, name, ...children) {
  const element = document.createElement(tag);
  element.className = name;
  if (tag === "button") /** @type {HTMLButtonElement} */ (element).type = "button";
  element.append(...children);
  return element;
}

/** @returns {HTMLInputElement} volume, 0 to 24 dB */
function slider() {
  const gain = document.createElement("input");
  Object.assign(gain, { type: "range", min: "0", max: "24", step: "3", value: "0" });
  return gain;
}

/** Build the elements; `speak` fills in the words. */
export function soundMarkup() {
  const face = new Face();
  face.speak(ENGLISH);
  return face;
}

class Face {
  words = ENGLISH;
  /** @type {"" | "start" | "where" | "failed"} step of the headphone test */ asking = "";
  /** @type {HTMLCanvasElement} */ still = make("canvas", "still");
  /** @type {HTMLCanvasElement} */ moving = make("canvas", "moving");
  /** @type {HTMLButtonElement} */ play = make("button", "play");
  /** @type {HTMLButtonElement} */ loop = make("button", "loop");
  /** @type {HTMLButtonElement} */ half = make("button", "half");
  /** @type {Record<"start" | "left" | "right" | "nowhere" | "again" | "anyway", HTMLButtonElement>} */
  ears = {
    start: make("button", "ears-start"), left: make("button", "ears-left"), right: make("button", "ears-right"),
    nowhere: make("button", "ears-nowhere"), again: make("button", "ears-again"), anyway: make("button", "ears-anyway"),
  };
  gain = slider();
  /** @type {HTMLElement} */ gainText = make("span", "db", "+0 dB");
  /** @type {Map<SoundFilter, HTMLButtonElement>} */
  filters = new Map([
    ["bell", make("button", "bell")],
    ["diaphragm", make("button", "diaphragm")],
    ["wide", make("button", "wide")],
  ]);
  #point = make("b", "point");
  #layer = make("span", "layer");
  #training = make("span", "training");
  #time = make("span", "time");
  #gainWord = make("span", "");
  #group = make("div", "group", ...this.filters.values());
  #notice = make("p", "");
  #row = make("div", "row", ...Object.values(this.ears));
  #remind = make("div", "notice", this.#notice, this.#row);
  #heard = make("span", "layer heard");
  #refused = make("div", "notice bad");
  #screen = make("div", "screen", this.still, this.moving);
  /** @type {HTMLElement} */ root = make(
    "div",
    "player",
    make("div", "title", this.#point, this.#layer, this.#heard, this.#training, this.#time),
    this.#screen,
    this.#refused,
    this.#remind,
    make("div", "controls", this.play, this.loop, this.half, this.#group, make("label", "", this.#gainWord, this.gain, this.gainText)),
  );

  constructor() {
    this.#screen.tabIndex = 0;
    this.#screen.setAttribute("role", "img");
    this.#group.setAttribute("role", "group");
    this.#remind.setAttribute("role", "alert");
    this.#row.dir = "ltr";
    this.earTest("");
    this.refused(false);
    this.press(this.loop, false);
    this.press(this.half, false);
  }

  /** @param {Words} words */
  speak(words) {
    this.words = words;
    this.loop.textContent = words.loop;
    this.half.textContent = words.half;
    for (const [name, button] of Object.entries(this.ears)) {
      button.textContent = words[/** @type {"headphones_start"} */ (`headphones_${name}`)];
    }
    this.#heard.textContent = words.headphones_warning;
    this.earTest(this.asking);
    this.#refused.textContent = words.refused;
    this.#gainWord.textContent = words.gain;
    this.#group.setAttribute("aria-label", words.filter);
    this.#screen.setAttribute("aria-label", words.picture);
    for (const [name, button] of this.filters) button.textContent = words[name];
    this.playing(this.play.classList.contains("on"));
  }

  /** @param {boolean} on */
  playing(on) {
    this.play.classList.toggle("on", on);
    this.play.textContent = on ? this.words.pause : this.words.play;
  }

  /** @param {string} point @param {string} layer @param {string} training */
  label(point, layer, training) {
    for (const [element, text] of [[this.#point, point], [this.#layer, layer], [this.#training, training]]) {
      element.textContent = text;
      element.hidden = !text;
    }
  }

  /** @param {number} at_s @param {number} duration_s */
  time(at_s, duration_s) {
    this.#time.textContent = `${at_s.toFixed(1)} / ${duration_s.toFixed(1)} s`;
  }

  /** @param {"" | "start" | "where" | "failed"} step of the headphone test, "" when it is over */
  earTest(step) {
    this.asking = step;
    /** @type {Record<string, string[]>} */
    const buttons = { start: ["start", "anyway"], where: ["left", "right", "nowhere"], failed: ["again", "anyway"] };
    const shown = buttons[step] ?? [];
    for (const [name, button] of Object.entries(this.ears)) button.hidden = !shown.includes(name);
    const text = { "": "", start: this.words.headphones, where: this.words.headphones_where, failed: this.words.headphones_failed }[step];
    this.#notice.textContent = text;
    this.#remind.hidden = step === "";
  }

  /** @param {boolean} on a word that the sound is not heard on headphones */
  warn(on) {
    this.#heard.hidden = !on;
  }

  /** @param {number} px */
  tall(px) {
    this.#screen.style.height = `${px}px`;
  }

  /** @param {boolean} on */
  refused(on) {
    this.#refused.hidden = !on;
    this.#screen.hidden = on;
    this.play.disabled = on;
  }

  /** @param {HTMLButtonElement} button @param {boolean} on */
  press(button, on) {
    button.setAttribute("aria-pressed", String(on));
  }
}
