/** ECG: stick ten electrodes by the picture, contact by contact, lie still, keep ten seconds. */

import { t } from "/shared/i18n.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { useCapture } from "/kiosk/coaches/capture.js";
import { CartOffer, useCart } from "/kiosk/coaches/cart.js";
import { useByItself } from "/kiosk/coaches/by-itself.js";
import { Coach, isClean, QualityChip, QualityHint, toTiles } from "/kiosk/coaches/coach.js";
import { LiveMonitor, LOOKS, StillMonitor } from "/kiosk/coaches/monitor.js";
import { Remedy } from "/kiosk/coaches/remedy.js";
import { Result } from "/kiosk/coaches/result.js";
import { colourOf, electrodeCode, iecOf, nameOf } from "/kiosk/electrodes.js";
import { recordingsOf } from "/kiosk/exams.js";
import { Chip, Hint, Value } from "/kiosk/parts.js";
import { useKiosk } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Visit} Visit */
/** @typedef {import("/shared/types.js").Measurement} Measurement */

const SECONDS = 10;
const ELECTRODES = ["R", "L", "F", "N", "V1", "V2", "V3", "V4", "V5", "V6"];
/** Limb leads that an electrode feeds. */
const FEEDS = /** @type {Record<string, string[]>} */ ({ R: ["I", "II", "aVR", "aVL", "aVF"], L: ["I", "III", "aVR", "aVL", "aVF"], F: ["II", "III", "aVR", "aVL", "aVF"] });

/** Electrodes without contact, by their IEC names. @param {string[]} reasons @param {Record<string, boolean>} notices */
export function electrodesOff(reasons, notices) {
  const on = Object.keys(notices).filter((notice) => notices[notice]);
  const details = [...reasons, ...on].filter((code) => code.startsWith("lead_off:")).flatMap((code) => code.slice("lead_off:".length).split(","));
  return [...new Set(details.map(iecOf).filter(Boolean))];
}

/** The two electrodes that were probably exchanged, by their IEC names. @param {string[]} reasons */
export function electrodesSwapped(reasons) {
  const swap = reasons.find((code) => code.startsWith("lead_swap:"));
  return swap ? swap.slice("lead_swap:".length).split(/[/-]/).map(iecOf) : [];
}

/** @param {{ visit: Visit }} props */
export function Ecg({ visit }) {
  const { notices } = useKiosk();
  const taking = useCapture(visit, { step: "ecg", instrument: "ecg", seconds: SECONDS });
  const cart = useCart(visit, taking.phase === "live" || taking.phase === "absent");
  const quality = taking.live?.quality;
  const off = electrodesOff(quality?.reasons ?? [], taking.device ? (notices[taking.device.id] ?? {}) : {});
  const begins = useByItself(taking, !recordingsOf(visit, "ecg").length && !cart.offered.length, isClean(quality) && !off.length);
  const look = { ...LOOKS.ecg, label: t("signal.ecg") };
  const common = { exam: "ecg", icon: "med/heart_cardiogram", taking };
  const told = taking.capture?.recording?.quality.reasons ?? [];
  const recorded = [...electrodesOff(told, {}), ...electrodesSwapped(told)];
  const swapped = electrodesSwapped(quality?.reasons ?? []);
  const result = html`<${Result} ...${common} kept=${toTiles} picture=${html`<${Map} off=${recorded} />`}
    numbers=${html`<${Rate} measurements=${taking.capture?.recording?.measurements ?? []} />`}>
    <${StillMonitor} capture=${taking.capture?.id} look=${look} />
  <//>`;
  if (cart.offered.length) return html`<${CartOffer} visit=${visit} cart=${cart} leave=${toTiles} />`;
  return html`<${Coach} ...${common} skip=${{ step: "ecg" }} leave=${toTiles} result=${result} class="coach-ecg" step=${t("ecg.step")}
    recordLabel=${t("coach.record", { n: SECONDS })} picture=${html`<${Map} off=${off.length ? off : swapped} />`}
    chips=${html`<${Contact} off=${off} known=${Boolean(quality)} /><${QualityChip} quality=${quality} />
      ${taking.live?.heartRate && html`<${Chip}><${Value} value=${taking.live.heartRate} unit="/min" digits=${0} /><//>`}`}
    hint=${off.length ? html`<${PressOn} off=${off} />` : html`<${QualityHint} quality=${quality} good=${t("ecg.good")} begins=${begins} />`}>
    <${LiveMonitor} device=${taking.device?.id ?? ""} look=${look} off=${off.flatMap((name) => FEEDS[name] ?? [name])} />
  <//>`;
}

/** @param {{ off: string[] }} props */
function Map({ off }) {
  return html`<body-map mode=${off[0]?.startsWith("V") ? "ecg-chest" : "ecg"} code=${electrodeCode()} off=${off.join(" ")} active=${off[0] ?? ""} label=${t("ecg.picture")}></body-map>`;
}

/** @param {{ off: string[] }} props */
function PressOn({ off }) {
  const first = off[0] ?? "";
  const known = ELECTRODES.includes(first);
  return html`<${Hint} kind="attention" picture=${html`<${Remedy} reason="lead_off" />`} title=${t("ecg.press", { where: nameOf(first) })} say=${t("reason.lead_off.do")}>
    ${known ? t("ecg.off", { colour: colourOf(first) }) : t("reason.lead_off")}${off.length > 1 ? ` ${t("ecg.off.more", { n: off.length - 1 })}` : ""}
  <//>`;
}

/** @param {{ off: string[], known: boolean }} props */
function Contact({ off, known }) {
  if (!known) return null;
  if (!off.length) return html`<${Chip} kind="ok" icon="check">${t("ecg.contact.all")}<//>`;
  return html`<${Chip} kind="attention" icon="unplug">${t("ecg.contact.off", { names: off.map(nameOf).join(" ") })}<//>`;
}

/** @param {{ measurements: Measurement[] }} props */
function Rate({ measurements }) {
  const rate = measurements.find(({ kind }) => kind === "heart_rate");
  return rate && html`<${Chip}><${Value} value=${rate.value} unit=${rate.unit} digits=${0} /> ${t("draft")}<//>`;
}
