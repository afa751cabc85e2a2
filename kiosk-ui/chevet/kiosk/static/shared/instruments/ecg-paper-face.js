/** The ECG paper's words and style. */

export const ENGLISH = {
  label: "ECG on millimetre paper",
  not_to_scale: "not to scale",
  to_scale: "true scale",
  preview: "preview, not for measurement",
  raw: "raw, unfiltered",
  view: "view",
  centred: "drawn around its middle",
  gap: "gap",
  marks: "marks: automatic draft",
  alone: "one lead",
  calipers_off: "Calipers are off on a preview: its samples are too coarse to measure.",
};
/** @typedef {typeof ENGLISH} Words */

export const STYLE = new CSSStyleSheet();
STYLE.replaceSync(`
  :host { display: block; direction: ltr; overflow: auto; position: relative; background: #FFFAF8; }
  .sheet { position: relative; margin-inline: auto; outline-offset: -3px; }
  .sheet:focus-visible { outline: 3px solid var(--primary, #0F6B5C); }
  canvas { position: absolute; inset: 0; display: block; }
  .over { cursor: crosshair; }
  .over.on-name { cursor: zoom-in; }
  .reason { position: sticky; inset-inline-start: 12px; inset-block-end: 12px; display: inline-block; margin: -56px 12px 12px;
    padding: 8px 12px; border-radius: 10px; background: #FFF1CC; color: #7A4B00; font: 600 14px/1.35 system-ui; z-index: 1; }
  .said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  [hidden] { display: none; }
`);

