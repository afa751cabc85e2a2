/** The frame of every coach: a picture of what to do, one sentence, the signal, the way on. */

import { has, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { goVisit, skipStep } from "/kiosk/actions.js";
import { attempt } from "/kiosk/attempt.js";
import { onCable, reasonSays } from "/kiosk/electrodes.js";
import { Button, Chip, Dialog, Hint, Main, Page } from "/kiosk/parts.js";
import { devicesFor, now, set } from "/kiosk/store.js";
import { useHintVoice } from "/kiosk/voice.js";
import { useElapsed } from "/kiosk/coaches/capture.js";
import { Remedy } from "/kiosk/coaches/remedy.js";

/** @typedef {import("/shared/types.js").Quality} Quality */
/** @typedef {import("/shared/types.js").Capture} Capture */
/** @typedef {import("/kiosk/coaches/capture.js").Taking} Taking */
/** @typedef {import("/kiosk/parts.js").Child} Child */

/**
 * @param {{ exam: string, icon: string, step?: Child, taking: Taking, picture: Child, typed?: string, hint: Child, children: Child,
 *   chips?: Child, recordLabel: string, skip: { step: string, site?: string, side?: string }, leave: () => void,
 *   result?: Child, class?: string, say?: string, instrument?: string }} props `instrument`: its word, where it is not the device's own; `typed`: screen where the numbers are typed without it
 */
export function Coach(props) {
  const { taking } = props;
  const [skipping, skip] = useState(false);
  if (taking.phase === "absent") return html`<${Absent} ...${props} />`;
  if (taking.phase === "failed") return html`<${Failed} ...${props} />`;
  if (taking.phase === "done" && props.result) return props.result;
  const recording = taking.phase === "recording";
  const asked = now().visit?.continues;
  const words = asked?.text && asked.step === props.skip.step ? html`<bdi class="asked">${asked.text}</bdi>` : null;
  const main = recording
    ? html`<${Main} go=${taking.stop} icon="square" busy=${taking.busy}>${t("coach.stop")}<//>`
    : html`<${Main} go=${taking.start} icon="circle-dot" busy=${taking.busy}>${props.recordLabel}<//>`;
  return html`<${Page} title=${t(`exam.${props.exam}`)} icon=${props.icon} step=${words ? html`${props.step} · ${words}` : props.step} say=${props.say} class=${`coach ${props.class ?? ""}`}
    back=${recording ? undefined : props.leave} note=${html`${props.chips}${!recording && html`<${DeviceSwitch} taking=${taking} />`}`}
    extra=${!recording && html`<${Button} go=${() => skip(true)} icon="skip-forward" class="button-quiet">${t("coach.skip")}<//>`} main=${main}>
    <div class="coach-grid">
      <div class="coach-picture card">${props.picture}</div>
      <div class="coach-hint">${recording && taking.capture ? html`<${Recording} capture=${taking.capture} />` : props.hint}</div>
      <div class="coach-signal">${props.children}</div>
    </div>
    ${skipping && html`<${SkipDialog} skip=${props.skip} close=${() => skip(false)} leave=${props.leave} />`}
  <//>`;
}

/** Which of two instruments of a kind; the worker holds one of them. @param {{ taking: Taking }} props */
function DeviceSwitch({ taking }) {
  const instrument = taking.device?.instrument ?? "";
  const ready = devicesFor(instrument).filter(({ state }) => state === "ready");
  if (ready.length < 2) return null;
  const choose = (/** @type {string} */ id) => set({ preferred: { ...now().preferred, [instrument]: id } });
  return html`<div class="segments devices" role="group" aria-label=${t("about.devices")}>
    ${ready.map(({ id, model, driver }) => html`<button aria-pressed=${String(id === taking.device?.id)} onClick=${() => choose(id)}><bdi>${model || driver}</bdi></button>`)}
  </div>`;
}

/** @param {{ capture: Capture }} props */
function Recording({ capture }) {
  const elapsed = useElapsed(capture);
  return html`<div class="hint hint-recording" role="status">
    <count-ring elapsed=${elapsed} seconds=${capture.seconds} label=${t("coach.recording")}></count-ring>
    <div><b>${t("coach.recording")}</b><p>${t(`coach.still.${capture.step}`)}</p></div>
  </div>`;
}

/** What the quality engine says now, as one thing to do. @param {{ quality: Quality | null | undefined, good: string, begins?: number | null }} props `begins`: seconds until it begins by itself */
export function QualityHint({ quality, good, begins = null }) {
  if (!quality) return html`<${Hint} kind="info" icon="loader" title=${t("coach.listening")}>${t("coach.listening.help")}<//>`;
  const reason = quality.reasons[0];
  if (quality.usable && !reason) return html`<${Hint} kind="ok" title=${t("coach.good")}>${begins === null ? good : t("coach.by_itself", { n: begins })}<//>`;
  return html`<${Hint} kind="attention" picture=${html`<${Remedy} reason=${reason ?? ""} />`} title=${reasonDo(reason ?? "")} say=${reasonDo(codeOf(reason ?? ""))}>${reasonSays(reason ?? "")}<//>`;
}

/** Good, and nothing to say about it. @param {Quality | null | undefined} quality */
export function isClean(quality) {
  return Boolean(quality?.usable) && !quality?.reasons.length;
}

/** A reason without what it is about: the voice has no names of electrodes. @param {string} reason */
export function codeOf(reason) {
  return reason.split(":")[0] ?? "";
}

/** A reason as what to do about it. @param {string} reason */
export function reasonDo(reason) {
  const [code = "", detail = ""] = onCable(reason).split(":");
  const key = detail && has(`reason.${code}.do.detail`) ? `reason.${code}.do.detail` : `reason.${code}.do`;
  return has(key) ? t(key, { detail }) : t("reason.other.do");
}

/** @param {{ quality: Quality | null | undefined }} props */
export function QualityChip({ quality }) {
  if (!quality) return null;
  return html`<${Chip} class="chip-quality" kind=${quality.usable ? "ok" : "attention"} icon=${quality.usable ? "check" : "triangle-alert"}>${quality.usable ? t("quality.good") : t("quality.poor")}<//>`;
}

/** @param {Parameters<typeof Coach>[0]} props */
function Absent(props) {
  const [skipping, skip] = useState(false);
  useHintVoice(t("absent.plug"));
  const connecting = props.taking.device?.state === "connecting";
  const instrument = t(`instrument.${props.instrument ?? props.taking.instrument}`);
  return html`<${Page} title=${t(`exam.${props.exam}`)} icon=${props.icon} class=${`coach ${props.class ?? ""}`} back=${props.leave}
    extra=${props.typed && html`<${Button} go=${() => goVisit(props.typed ?? "")} icon="hand">${t("meter.type")}<//>`}
    main=${html`<${Main} go=${() => skip(true)} icon="skip-forward">${t("coach.skip")}<//>`}>
    <div class="absent">
      <span class="absent-picture"><${Icon} name=${props.icon} size="120px" /><span class="absent-mark"><${Icon} name=${connecting ? "loader" : "unplug"} size="40px" /></span></span>
      <h2>${connecting ? t("absent.connecting", { what: instrument }) : t("absent.title", { what: instrument })}</h2>
      <ul class="absent-steps"><li>${t("absent.plug")}</li><li>${t("absent.switch")}</li><li>${t("absent.wait")}</li></ul>
    </div>
    ${skipping && html`<${SkipDialog} skip=${props.skip} close=${() => skip(false)} leave=${props.leave} />`}
  <//>`;
}

/** The cable came out, or the disk is full: say so, keep calm, begin again. @param {Parameters<typeof Coach>[0]} props */
function Failed(props) {
  const { taking } = props;
  const code = taking.capture?.problem || "other";
  const key = has(`problem.${code}`) ? code : "other";
  const ready = taking.device?.state === "ready";
  useHintVoice(t(`problem.${key}`));
  return html`<${Page} title=${t(`exam.${props.exam}`)} icon=${props.icon} class=${`coach ${props.class ?? ""}`} back=${() => taking.again().then(props.leave)}
    extra=${taking.capture?.recording && html`<${Button} go=${() => taking.keep(true).then(props.leave)}>${t("failed.keep")}<//>`}
    main=${html`<${Main} go=${taking.again} icon="rotate-ccw" busy=${taking.busy} why=${ready ? "" : t("failed.why")}>${t("result.again")}<//>`}>
    <div class="absent">
      <span class="absent-picture absent-bad"><${Icon} name=${props.icon} size="120px" /><span class="absent-mark"><${Icon} name="triangle-alert" size="40px" /></span></span>
      <h2 role="alert">${t(`problem.${key}`)}</h2>
      <p class="soft">${t(`problem.${key}.help`)}</p>
      ${ready && html`<${Chip} kind="ok" icon="check">${t("tile.ready")}<//>`}
    </div>
  <//>`;
}

const SKIP_REASONS = ["refused", "no_device", "not_needed", "too_ill"];

/** @param {{ skip: { step: string, site?: string, side?: string }, close: () => void, leave: () => void }} props */
function SkipDialog({ skip: { step, site = "", side = "" }, close, leave }) {
  const choose = async (/** @type {string} */ reason) => {
    await attempt(() => skipStep({ step, site, side, reason }));
    leave();
  };
  return html`<${Dialog} title=${t("skip.title")} close=${close}>
    <div class="skip-reasons">${SKIP_REASONS.map((reason) => html`<${Button} go=${() => choose(reason)}>${t(`skip.${reason}`)}<//>`)}</div>
  <//>`;
}

/** Leave a coach for the tiles. */
export function toTiles() {
  goVisit("tiles");
}
