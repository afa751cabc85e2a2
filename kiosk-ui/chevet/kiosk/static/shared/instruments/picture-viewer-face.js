/** The picture viewer's words, style and elements. */

export const ENGLISH = {
  left: "left ear",
  right: "right ear",
  photo: "picture",
  zoom_in: "Zoom in",
  zoom_out: "Zoom out",
  brightness: "Brightness",
  reset: "As it came",
  missing: "This picture could not be opened.",
};
/** @typedef {typeof ENGLISH} Words */

export const STYLE = new CSSStyleSheet();
STYLE.replaceSync(`
  :host { display: block; font: 400 14px/1.4 var(--font, system-ui); }
  [hidden] { display: none !important; }
  .stage { position: relative; direction: ltr; overflow: hidden; border-radius: 14px; background: #0F1720; aspect-ratio: var(--aspect, 4 / 3); width: 100%; max-height: var(--most, 70vh); touch-action: none; cursor: grab; }
  .stage:focus-visible { outline: 3px solid var(--focus, #1D4E89); outline-offset: 3px; }
  .stage.held { cursor: grabbing; }
  img { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; transform-origin: 0 0; user-select: none; -webkit-user-drag: none; }
  .shapes { position: absolute; inset: 0; width: 100%; height: 100%; transform-origin: 0 0; pointer-events: none; }
  .shapes path { fill: none; stroke-linecap: round; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
  .shapes .edge { stroke: rgb(15 23 32 / 75%); stroke-width: 6; }
  .shapes .line { stroke: #35C2FF; stroke-width: 3; }
  .shapes .theirs .line { stroke: #FFF; }
  .stage.drawing { cursor: crosshair; }
  .quality { border-radius: 999px; padding: 1px 10px; font-weight: 600; font-size: 12px; background: #E4F3E8; color: #1B6E3C; }
  .quality[data-grade="fair"] { background: #FFF1CC; color: #7A4B00; }
  .quality[data-grade="poor"] { background: #FCE8E6; color: #B3261E; }
  .side { position: absolute; inset-block-start: 10px; inset-inline-start: 10px; display: flex; align-items: center; gap: 8px; padding: 4px 12px 4px 6px; border-radius: 999px; background: rgb(15 23 32 / 82%); color: #FFF; font-weight: 600; pointer-events: none; }
  .side b { display: grid; place-items: center; width: 34px; height: 34px; border-radius: 50%; background: #FFF; color: #14213D; font-size: 20px; font-weight: 600; }
  .side b[hidden] + span { padding-inline-start: 6px; }
  .marks { position: absolute; inset-block-end: 10px; inset-inline-start: 10px; display: flex; gap: 6px; flex-wrap: wrap; pointer-events: none; }
  .layer { background: #FFF1CC; color: #7A4B00; border-radius: 999px; padding: 1px 10px; font-weight: 600; font-size: 12px; }
  .training { background: #FFD400; color: #000; border-radius: 6px; padding: 1px 8px; font-weight: 600; font-size: 12px; }
  .missing { position: absolute; inset: 0; display: grid; place-items: center; color: #E8EEF4; padding: 24px; text-align: center; }
  .controls { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; margin-block-start: 8px; color: var(--soft, #5B6478); }
  button { font: 600 14px/1 var(--font, system-ui); min-height: 40px; min-width: 40px; padding: 4px 12px; border-radius: 999px; cursor: pointer; border: 1px solid var(--line-strong, #8F8A80); background: var(--surface, #FFF); color: var(--ink, #14213D); touch-action: manipulation; }
  button.sign { font-size: 20px; padding: 0; }
  button:focus-visible, input:focus-visible { outline: 3px solid var(--focus, #1D4E89); outline-offset: 2px; }
  label { display: inline-flex; align-items: center; gap: 8px; }
  input { width: 90px; accent-color: var(--primary, #0F6B5C); }
`);

export const MARKUP = `
  <div class="stage" tabindex="0" role="img"><img alt="" draggable="false"><svg class="shapes" aria-hidden="true"></svg><div class="missing" role="status" hidden></div>
    <div class="side"><b></b><span></span></div><div class="marks"><span class="quality"></span><span class="layer"></span><span class="training"></span></div></div>
  <div class="controls"><button type="button" class="sign out">−</button><button type="button" class="sign in">+</button>
    <label><span class="word"></span><input type="range" class="bright"></label><button type="button" class="reset"></button></div>`;
