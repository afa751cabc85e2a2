/** One recording of a sealed case on the desk's own instruments, from the best layer that has come and was opened here. */

import { language, t } from "/shared/i18n.js";
import "/shared/instruments/ecg-paper.js";
import "/shared/instruments/picture-viewer.js";
import "/shared/instruments/sound-player.js";
import { html, useEffect, useMemo, useRef, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Paper } from "/desk/ecg-one.js";
import { FIRST, Tools } from "/desk/ecg-tools.js";
import { Flip } from "/desk/fetched.js";
import { pictureWords, soundWords } from "/desk/instrument-words.js";
import { drawPleth } from "/desk/pleth.js";
import { gradeOf, QualityBadge, Value, word } from "/desk/say.js";
import { readPreview } from "/desk/sealed-preview.js";
import { exactWaves, isSound, waveOf, wavOf } from "/desk/sealed-waves.js";

/** @typedef {import("/desk/sealed.js").Part} Part */
/** @typedef {import("/desk/sealed-summary.js").Recording} Recording */
/** @typedef {import("/shared/instruments/ecg-paper-wave.js").Wave} Wave */
/** @typedef {{data: Uint8Array, media: string, preview: boolean}} Sound */
/** @typedef {{waves: Wave[], sound: Sound | null, failed: boolean}} Signals */

const PAGE_S = 10;
const NEAR = { speed: "50", gain: "20" };

/** The best there is for the ear and for the eye. @param {Part[]} parts of one recording @returns {Signals} */
function signalsOf(parts) {
  const heard = parts.filter(({ kind }) => kind === "sound").at(-1);
  /** @type {Sound | null} */
  let sound = heard ? { data: heard.data, media: heard.media, preview: heard.layer === 1 } : null;
  const exact = parts.find(({ kind, layer }) => kind === "waveform" && layer === 3);
  try {
    if (!exact) {
      const previews = parts.filter(({ kind, layer }) => kind === "waveform" && layer === 1);
      return { waves: previews.map(({ data }) => waveOf(readPreview(data), "preview")), sound, failed: false };
    }
    const waves = [];
    for (const one of exactWaves(exact.data)) {
      if (isSound(one)) sound = { data: wavOf(one), media: "audio/wav", preview: false };
      else waves.push(waveOf(one));
    }
    return { waves, sound, failed: false };
  } catch {
    return { waves: [], sound, failed: true };
  }
}

/** @param {{ one: Recording, parts: Part[], simulated: boolean, waiting: boolean }} props */
export function RecordingView({ one, parts, simulated, waiting }) {
  const { waves, sound, failed } = useMemo(() => signalsOf(parts), [parts.length]);
  const shown = waves.length > 0 || sound !== null || parts.some(({ kind }) => kind === "picture");
  return html`<article class="sealed-part">
    <div class="sealed-row"><h3>${t(`step.${one.step}`)}</h3><bdi>${one.site ? [one.step === "photo" ? "" : one.site, word("site", one.site)].filter(Boolean).join(" · ") : ""}${one.side ? t(`ear.${one.side}`) : ""}</bdi><${QualityBadge} ...${one.quality} />
      ${one.acceptedPoor ? html`<span class="chip chip-attention">${t("sealed.sent_poor")}</span>` : ""}</div>
    ${waves.some(({ layer }) => layer === "preview") ? html`<p><span class="chip chip-attention">${t("layer.preview")}</span></p>` : ""}
    ${waves.map((wave, n) => (one.step === "ecg" ? html`<${Ecg} wave=${wave} simulated=${simulated} key=${`${wave.layer} ${n}`} />` : html`<${Pulse} wave=${wave} key=${`${wave.layer} ${n}`} />`))}
    ${sound ? html`<${Player} one=${one} sound=${sound} simulated=${simulated} />` : ""}
    <${Pictures} one=${one} parts=${parts} simulated=${simulated} />
    ${failed ? html`<p role="alert">${t("sealed.error.damaged")}</p>` : ""}
    ${!shown && !failed ? html`<p class="soft">${t(waiting ? "sealed.coming_one" : "sealed.not_shown")}</p>` : ""}
    ${one.measurements.length ? html`<div class="sealed-row"><span class="chip chip-info">${t("draft")}</span>
      ${one.measurements.map((each) => html`<span title=${each.method} key=${each.kind}><bdi dir="ltr">${word("measure", each.kind)}</bdi> <${Value} value=${each.value} unit=${each.unit} digits=${0} /></span>`)}</div>` : ""}</article>`;
}

/** @param {{ wave: Wave, simulated: boolean }} props */
function Ecg({ wave, simulated }) {
  const [view, setView] = useState(FIRST);
  const [on, setOn] = useState({ measuring: false, march: false });
  const change = (/** @type {Partial<typeof FIRST>} */ part) => setView((now) => ({ ...now, ...part }));
  const nearer = (/** @type {string} */ lead) => change(view.lead || !lead ? { lead: "", speed: FIRST.speed, gain: FIRST.gain } : { ...NEAR, lead });
  const flip = (/** @type {keyof typeof on} */ name) => setOn((now) => ({ ...now, [name]: !now[name] }));
  const seconds = wave.samples / wave.rate_hz;
  const turn = (/** @type {number} */ by) => change({ start: Math.max(0, Math.min(Math.floor((seconds - 1) / PAGE_S) * PAGE_S, view.start + by)) });
  return html`<${Tools} view=${view} change=${change} wave=${wave} nearer=${nearer} />
    <${Paper} one=${{ simulated }} wave=${wave} view=${view} on=${on} nearer=${nearer} language=${language()} />
    <div class="under"><span class="touch-only"><${Flip} on=${on.measuring} icon="hand" label=${t("ecg.touch_measure")} flip=${() => flip("measuring")} /></span>
      <${Flip} on=${on.march} icon="skip-forward" label=${t("ecg.march")} flip=${() => flip("march")} />
      ${seconds > PAGE_S * 1.05 ? html`<span class="pager" dir="ltr"><button type="button" class="flip" aria-label=${t("ecg.page_back")} disabled=${view.start <= 0} onClick=${() => turn(-PAGE_S)}>‹</button>
        <span>${view.start}–${Math.min(seconds, view.start + PAGE_S).toFixed(0)} s</span>
        <button type="button" class="flip" aria-label=${t("ecg.page_on")} disabled=${view.start + PAGE_S >= seconds} onClick=${() => turn(PAGE_S)}>›</button></span>` : ""}
      <span class="soft">${t("ecg.how")}</span></div>`;
}

/** @param {{ wave: Wave }} props */
function Pulse({ wave }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useEffect(() => {
    if (!canvas.current) return undefined;
    const draw = () => canvas.current && drawPleth(canvas.current, wave);
    const watch = new ResizeObserver(draw);
    watch.observe(canvas.current);
    return () => watch.disconnect();
  }, [wave]);
  return html`<canvas class="sealed-pulse" ref=${canvas} role="img" aria-label=${wave.leads.map(({ name }) => name).join(", ")}></canvas>`;
}

/** @param {{ one: Recording, sound: Sound, simulated: boolean }} props */
function Player({ one, sound, simulated }) {
  const player = useRef(/** @type {import("/shared/instruments/sound-player.js").SoundPlayer | null} */ (null));
  useEffect(() => {
    if (!player.current) return;
    player.current.words = soundWords();
    void player.current.load(sound.data.slice().buffer, sound.media);
  }, [sound]);
  return html`<sound-player ref=${player} point=${one.site ? `${one.site} · ${word("site", one.site)}` : ""} layer-label=${sound.preview ? t("layer.preview_sound") : null} watermark=${simulated ? "HTEST" : null}></sound-player>`;
}

/** Of each still the best copy, the camera's own bytes last; and the clip. @param {Part[]} parts */
function bestPictures(parts) {
  /** @type {Map<string, Part>} */
  const best = new Map();
  for (const part of parts) if (part.kind === "picture" || part.kind === "clip") best.set(`${part.kind} ${part.index}`, part);
  return [...best.values()].sort((a, b) => (a.kind === b.kind ? a.index - b.index : a.kind === "clip" ? 1 : -1));
}

/** @param {{ one: Recording, parts: Part[], simulated: boolean }} props */
function Pictures({ one, parts, simulated }) {
  const [chosen, setChosen] = useState("");
  const viewer = useRef(/** @type {import("/shared/instruments/picture-viewer.js").PictureViewer | null} */ (null));
  const pictures = bestPictures(parts);
  const named = (/** @type {Part} */ part) => `${part.kind} ${part.index}`;
  const part = pictures.find((each) => named(each) === chosen) ?? pictures[0];
  const url = useMemo(() => (part ? URL.createObjectURL(new Blob([part.data.slice()], { type: part.media })) : ""), [part]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  useEffect(() => {
    if (viewer.current) viewer.current.words = pictureWords();
  }, [url !== ""]);
  if (!part) return null;
  const grade = gradeOf(one.quality);
  return html`<picture-viewer ref=${viewer} src=${url} side=${one.side} place=${one.site ? word("site", one.site) : null} quality=${grade} quality-label=${t(`quality.${grade}`)} layer-label=${part.layer === 1 ? t("layer.preview_picture") : null} watermark=${simulated ? "HTEST" : null}></picture-viewer>
    ${pictures.length > 1 ? html`<div class="chips" role="group" aria-label=${t("ear.stills")}>${pictures.map((each) => html`<button type="button" class="chip" key=${named(each)} aria-pressed=${each === part} onClick=${() => setChosen(named(each))}>${each.kind === "clip" ? t("ear.clip") : each.index + 1}</button>`)}</div>` : ""}`;
}
