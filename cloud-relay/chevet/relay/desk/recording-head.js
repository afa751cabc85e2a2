/** What stands above every recording: its quality with reasons in words, its layers, its device one tap away. */

import { clock, date, number, reasonText, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { wantAll } from "/desk/actions.js";
import { useKept } from "/desk/kept-state.js";
import { bestLayer, bytesText, QualityBadge, usefulLayers } from "/desk/say.js";
import { set, useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").DeskRecording} DeskRecording */

/** @param {{ recording: DeskRecording }} props */
export function RecordingHead({ recording }) {
  const { user } = useDesk();
  const { quality } = recording;
  return html`<div class="rec-head">
    <${QualityBadge} score=${quality.score} usable=${quality.usable} />
    ${quality.reasons.length ? html`<span class="reasons">${quality.reasons.map(reasonText).join(" · ")}</span>` : ""}
    ${recording.accepted_poor ? html`<span class="chip chip-attention">${t("accepted_poor")}</span>` : ""}
    ${recording.lost_samples ? html`<span class="chip chip-attention">${t("lost_samples", { n: recording.lost_samples })}</span>` : ""}
    <${Layers} recording=${recording} />
    ${user?.role !== "specialist" ? "" : html`<button type="button" class="link rec-again" onClick=${() => askAgain(recording)}><${Icon} name="rotate-ccw" />${t("ask_again")}</button>`}
  </div>`;
}

/** Take this recording's place into the retake form. @param {DeskRecording} recording */
function askAgain({ step, site, side }) {
  set({ side: "message", retake: { step, site, side } });
  document.querySelector(".answer")?.scrollIntoView({ block: "start", behavior: "smooth" });
}

/** What has arrived of this recording. @param {{ recording: DeskRecording }} props */
function Layers({ recording }) {
  const coming = usefulLayers(recording).filter(([, part]) => part.have < part.total);
  const best = bestLayer(recording);
  if (!coming.length) return html`<span class="layers soft">${best ? t(`layer.${best}`) : ""}</span>`;
  const [layer, part] = coming[0];
  return html`<span class="layers"><span class="chip chip-info"><${Icon} name="truck" />${t("layer_coming", { layer: t(`layer_of.${layer}`), size: bytesText(part.bytes) })}
    <progress max=${part.total} value=${part.have}></progress></span><${WantIt} /></span>`;
}

/** Ask the site for what is missing of the case, before the bulk of its others. */
function WantIt() {
  const { delivery, user } = useDesk();
  const { offline } = useKept();
  if (!delivery || delivery.complete_ms || offline || user?.role !== "specialist") return null;
  if (delivery.wanted_ms) return html`<span class="soft" role="status">${t("want.asked", { time: clock(delivery.wanted_ms) })}</span>`;
  return html`<button type="button" class="link" title=${t("want.what")} onClick=${wantAll}><${Icon} name="zap" />${t("want.title")}</button>`;
}

/** The recording's origin, folded away. @param {{ recording: DeskRecording }} props */
export function Origin({ recording }) {
  const { device, driver, duration_s, started_ms, channels } = recording;
  const rate = channels[0]?.rate_hz;
  const facts = [
    [t("origin.device"), [device.model, device.serial].filter(Boolean).join(" · ") || driver],
    [t("origin.started"), clock(started_ms)],
    [t("origin.length"), `${number(duration_s)} s`],
    ...(rate ? [[t("origin.rate"), `${number(rate)} Hz`]] : []),
    ...(device.measured_hz ? [[t("origin.measured"), `${number(Number(device.measured_hz), 2)} Hz`]] : []),
    ...(device.calibrated_on ? [[t("origin.calibrated"), date(Date.parse(device.calibrated_on))]] : []),
    ...(device.settings ? [[t("origin.settings"), device.settings]] : []),
  ];
  return html`<details class="origin"><summary>${t("origin.title")}</summary>
    <dl>${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd><bdi dir="ltr">${value}</bdi></dd></div>`)}</dl></details>`;
}
