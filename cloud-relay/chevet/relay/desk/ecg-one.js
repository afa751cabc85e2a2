/** One ECG on its paper, as the present one and an earlier one share it. */

import { html, useEffect, useRef } from "/shared/vendor/htm-preact/standalone.module.js";
import { ecgWords } from "/desk/instrument-words.js";

/** @typedef {import("/desk/types.js").EcgMarks} EcgMarks */
/** @typedef {import("/desk/ecg-tools.js").View} View */
/** @typedef {import("/shared/instruments/ecg-paper.js").EcgPaper} EcgPaper */
/** @typedef {import("/shared/instruments/ecg-paper-wave.js").Wave} Wave */

/** @param {{ one: {simulated: boolean}, wave: Wave, view: View, on?: Record<string, boolean>, marks?: EcgMarks | null, nearer?: (lead: string) => void, measured?: (caliper: any) => void, language: string }} props */
export function Paper({ one, wave, view, on = {}, marks = null, nearer, measured, language }) {
  const paper = useRef(/** @type {EcgPaper | null} */ (null));
  useEffect(() => {
    if (!paper.current) return;
    paper.current.words = ecgWords();
    paper.current.wave = wave;
    paper.current.marks = marks;
  }, [wave, marks, language]);
  return html`<ecg-paper ref=${paper} layout=${view.layout} order=${view.order} lead=${view.lead || null} start=${view.start} speed=${view.speed} gain=${view.gain} filter=${view.filter} zoom=${view.zoom}
    measuring=${on.measuring || null} march=${on.march || null} watermark=${one.simulated ? "HTEST" : null}
    onlead=${(/** @type {CustomEvent} */ event) => nearer?.(event.detail)} oncaliper=${(/** @type {CustomEvent} */ event) => measured?.(event.detail)}></ecg-paper>`;
}
