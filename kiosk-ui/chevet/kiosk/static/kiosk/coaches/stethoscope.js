/** Stethoscope: the points of the heart or of the lungs in order, the next one pulses, fifteen seconds each, listen again. */

import { t } from "/shared/i18n.js";
import { toFullScale } from "/shared/instruments/level-meter.js";
import { html, useRef, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { useCapture } from "/kiosk/coaches/capture.js";
import { Coach, QualityChip, QualityHint, toTiles } from "/kiosk/coaches/coach.js";
import { LiveMonitor, LOOKS, StillMonitor } from "/kiosk/coaches/monitor.js";
import { Result } from "/kiosk/coaches/result.js";
import { HEART_SITES, LUNG_SITES, recordingsOf } from "/kiosk/exams.js";
import { Button } from "/kiosk/parts.js";

/** @typedef {import("/shared/types.js").Visit} Visit */
/** @typedef {import("/shared/types.js").Quality} Quality */
/** @typedef {import("/shared/types.js").Frame} Frame */
/** @typedef {import("/shared/instruments/level-meter.js").LevelMeter} LevelMeter */
/** @typedef {{ step: string, icon: string, sites: string[], modeOf: (site: string) => string }} Listening */

const SECONDS = 15; // clinical-standards: at least 15 s per heart site, two breaths per lung site
/** Points on the back; the other points are seen from the front. */
const BEHIND = ["Pr", "Pl", "Br", "Bl"];

/** @type {Listening} */
const HEART = { step: "heart_sound", icon: "med/stethoscope", sites: HEART_SITES, modeOf: () => "heart" };
/** @type {Listening} */
const LUNGS = { step: "lung_sound", icon: "med/lungs", sites: LUNG_SITES, modeOf: (site) => (BEHIND.includes(site) ? "lung-back" : "lung-front") };

/** @param {{ visit: Visit, which: string }} props `which`: the point, where the specialist asked for one */
export function Stethoscope({ visit, which }) {
  return html`<${Listen} visit=${visit} which=${which} what=${HEART} />`;
}

/** @param {{ visit: Visit, which: string }} props */
export function Lungs({ visit, which }) {
  return html`<${Listen} visit=${visit} which=${which} what=${LUNGS} />`;
}

/** The first point that has neither a recording nor a reason to be skipped. @param {Visit} visit @param {Listening} what @param {string} [now] kept in this moment */
function nextSite(visit, { step, sites }, now = "") {
  const done = [...recordingsOf(visit, step), ...visit.skips.filter((skip) => skip.step === step)].map(({ site }) => site);
  return sites.find((site) => site !== now && !done.includes(site)) ?? "";
}

/** A lung is judged without the fault that no heart is heard there. @param {Quality | undefined} quality @param {Listening} what */
function judged(quality, what) {
  if (!quality || what === HEART) return quality;
  const reasons = quality.reasons.filter((reason) => reason !== "no_heart_sound");
  return { ...quality, reasons, usable: quality.usable || !reasons.length };
}

/** @param {{ visit: Visit, which: string, what: Listening }} props */
function Listen({ visit, which, what }) {
  const { step, sites } = what;
  const held = visit.capture?.step === step ? visit.capture.site : "";
  const [chosen, choose] = useState(which);
  const site = held || chosen || nextSite(visit, what) || sites[0] || "";
  const taking = useCapture(visit, { step, instrument: "stethoscope", site, seconds: SECONDS });
  const meter = /** @type {{ current: LevelMeter | null }} */ (useRef(null));
  const heard = (/** @type {Frame} */ frame) => {
    if (frame.kind !== "samples" || frame.header.main === false || !frame.channels[0]) return;
    // The meter shows the room left before the sound is cut off.
    meter.current?.push(frame.channels[0], toFullScale(frame.header.channels[0]?.gain ?? 1));
  };
  const look = { ...LOOKS.sound, label: t(`signal.${step}`) };
  const map = html`<${Map} visit=${visit} what=${what} site=${site} pick=${taking.phase === "live" ? choose : null} />`;
  const common = { exam: step, icon: what.icon, taking, step: html`<b><bdi>${site}</bdi></b> · ${t(`site.${site}`)}` };
  const kept = () => {
    choose("");
    if (which || !nextSite(visit, what, site)) toTiles();
  };
  const result = html`<${Result} ...${common} kept=${kept} picture=${map} numbers=${html`<${Replay} capture=${taking.capture?.id} />`}>
    <${StillMonitor} capture=${taking.capture?.id} look=${look} />
  <//>`;
  const quality = judged(taking.live?.quality, what);
  return html`<${Coach} ...${common} skip=${{ step, site }} leave=${toTiles} result=${result} class="coach-stethoscope"
    recordLabel=${t("coach.record", { n: SECONDS })} picture=${map} chips=${html`<${QualityChip} quality=${quality} />`}
    hint=${html`<${QualityHint} quality=${quality} good=${t(`stethoscope.good.${step}`, { site })} />`}>
    <${LiveMonitor} device=${taking.device?.id ?? ""} look=${look} heard=${heard} />
    <div class="level"><span class="small soft">${t("stethoscope.level")}</span><level-meter ref=${meter} low="0.3" high="0.92" aria-label=${t("stethoscope.level")}></level-meter></div>
  <//>`;
}

/** @param {{ visit: Visit, what: Listening, site: string, pick: ((site: string) => void) | null }} props */
function Map({ visit, what, site, pick }) {
  const taken = recordingsOf(visit, what.step);
  const poor = taken.filter((recording) => recording.accepted_poor).map((recording) => recording.site);
  const done = taken.map((recording) => recording.site).filter((one) => !poor.includes(one));
  const mode = what.modeOf(site);
  const map = html`<body-map mode=${mode} active=${site} done=${done.join(" ")} poor=${poor.join(" ")} label=${t("stethoscope.picture")}
    pickable=${pick ? "" : null} onpick=${(/** @type {CustomEvent<{ site: string }>} */ event) => pick?.(event.detail.site)}></body-map>`;
  if (what === HEART) return map;
  const sides = /** @type {const} */ ({ "lung-front": "Ar", "lung-back": "Pr" });
  return html`<div class="two-sides">${map}<div class="segments" role="group" aria-label=${t("stethoscope.picture")}>
    ${Object.entries(sides).map(([side, first]) => html`<button aria-pressed=${String(side === mode)} disabled=${!pick} onClick=${() => side !== mode && pick?.(first)}>${t(`lungs.${side}`)}</button>`)}
  </div></div>`;
}

/** @param {{ capture: string | undefined }} props */
function Replay({ capture }) {
  const sound = /** @type {{ current: HTMLAudioElement | null }} */ (useRef(null));
  const [playing, show] = useState(false);
  const toggle = () => {
    if (playing) sound.current?.pause();
    else sound.current?.play().catch(() => show(false));
  };
  return html`<audio ref=${sound} src=${`/api/captures/${capture}/sound`} preload="auto" onPlay=${() => show(true)} onPause=${() => show(false)} onEnded=${() => show(false)}></audio>
    <${Button} go=${toggle} icon=${playing ? "pause" : "play"}>${playing ? t("sound.pause") : t("sound.play")}<//>`;
}
