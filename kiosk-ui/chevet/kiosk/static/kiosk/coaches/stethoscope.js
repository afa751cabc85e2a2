/** Stethoscope: five points of the heart in order, the next one pulses, fifteen seconds each, listen again. */

import { t } from "/shared/i18n.js";
import { toFullScale } from "/shared/instruments/level-meter.js";
import { html, useRef, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { useCapture } from "/kiosk/coaches/capture.js";
import { Coach, QualityChip, QualityHint, toTiles } from "/kiosk/coaches/coach.js";
import { LiveMonitor, LOOKS, StillMonitor } from "/kiosk/coaches/monitor.js";
import { Result } from "/kiosk/coaches/result.js";
import { recordingsOf } from "/kiosk/exams.js";
import { Button } from "/kiosk/parts.js";

/** @typedef {import("/shared/types.js").Visit} Visit */
/** @typedef {import("/shared/types.js").Frame} Frame */
/** @typedef {import("/shared/instruments/level-meter.js").LevelMeter} LevelMeter */

const SITES = ["A", "P", "E", "T", "M"];
const SECONDS = 15; // clinical-standards: at least 15 s per heart site

/** The first point that has neither a recording nor a reason to be skipped. @param {Visit} visit */
function nextSite(visit) {
  const done = [...recordingsOf(visit, "heart_sound"), ...visit.skips.filter(({ step }) => step === "heart_sound")].map(({ site }) => site);
  return SITES.find((site) => !done.includes(site)) ?? "";
}

/** @param {{ visit: Visit }} props */
export function Stethoscope({ visit }) {
  const held = visit.capture?.step === "heart_sound" ? visit.capture.site : "";
  const [chosen, choose] = useState("");
  const site = held || chosen || nextSite(visit) || "A";
  const taking = useCapture(visit, { step: "heart_sound", instrument: "stethoscope", site, seconds: SECONDS });
  const meter = /** @type {{ current: LevelMeter | null }} */ (useRef(null));
  const heard = (/** @type {Frame} */ frame) => {
    if (frame.kind !== "samples" || frame.header.main === false || !frame.channels[0]) return;
    // The meter shows the room left before the sound is cut off.
    meter.current?.push(frame.channels[0], toFullScale(frame.header.channels[0]?.gain ?? 1));
  };
  const look = { ...LOOKS.sound, label: t("signal.sound") };
  const map = html`<${Map} visit=${visit} site=${site} pick=${taking.phase === "live" ? choose : null} />`;
  const common = { exam: "heart_sound", icon: "med/stethoscope", taking, step: html`<b>${site}</b> · ${t(`site.${site}`)}` };
  const kept = () => {
    choose("");
    if (!nextSite(/** @type {Visit} */ (latest(visit, site)))) toTiles();
  };
  const result = html`<${Result} ...${common} kept=${kept} picture=${map} numbers=${html`<${Replay} capture=${taking.capture?.id} />`}>
    <${StillMonitor} capture=${taking.capture?.id} look=${look} />
  <//>`;
  return html`<${Coach} ...${common} skip=${{ step: "heart_sound", site }} leave=${toTiles} result=${result} class="coach-stethoscope"
    recordLabel=${t("coach.record", { n: SECONDS })} picture=${map}
    chips=${html`<${QualityChip} quality=${taking.live?.quality} />`}
    hint=${html`<${QualityHint} quality=${taking.live?.quality} good=${t("stethoscope.good", { site })} />`}>
    <${LiveMonitor} device=${taking.device?.id ?? ""} look=${look} heard=${heard} />
    <div class="level"><span class="small soft">${t("stethoscope.level")}</span><level-meter ref=${meter} low="0.3" high="0.92" aria-label=${t("stethoscope.level")}></level-meter></div>
  <//>`;
}

/** The visit as it is once `site` is kept. @param {Visit} visit @param {string} site */
function latest(visit, site) {
  const done = [...visit.skips, { step: "heart_sound", site, side: "", reason: "" }];
  return { ...visit, skips: done };
}

/** @param {{ visit: Visit, site: string, pick: ((site: string) => void) | null }} props */
function Map({ visit, site, pick }) {
  const taken = recordingsOf(visit, "heart_sound");
  const poor = taken.filter((recording) => recording.accepted_poor).map((recording) => recording.site);
  const done = taken.map((recording) => recording.site).filter((one) => !poor.includes(one));
  return html`<body-map mode="heart" active=${site} done=${done.join(" ")} poor=${poor.join(" ")} label=${t("stethoscope.picture")}
    pickable=${pick ? "" : null} onpick=${(/** @type {CustomEvent<{ site: string }>} */ event) => pick?.(event.detail.site)}></body-map>`;
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
