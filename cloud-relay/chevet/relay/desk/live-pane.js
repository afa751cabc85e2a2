/** Watching while the worker examines: what is held now, how late it is, and where it is torn. Not for measurement. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { Live } from "/shared/live.js";
import { html, useEffect, useRef, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import "/shared/instruments/live-wave.js";
import { CallButton } from "/desk/call.js";
import { Flip } from "/desk/fetched.js";
import { LiveSound } from "/desk/live-sound.js";
import { Blank, ltr, word } from "/desk/say.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {import("/desk/types.js").LiveState} LiveState */
/** @typedef {import("/shared/types.js").Frame} Frame */
/** @typedef {import("/shared/instruments/live-wave.js").LiveWave} LiveWave */

/** How each instrument is shown; the filter is of the view only and is named beside it. */
const LOOKS = /** @type {Record<string, {colour: string, columns: number, seconds: number, highpass: number, floor: number, tall: boolean}>} */ ({
  ecg: { colour: "ecg", columns: 2, seconds: 5, highpass: 0.5, floor: 0.8, tall: true },
  oximeter: { colour: "pleth", columns: 1, seconds: 8, highpass: 0.3, floor: 0.05, tall: false },
  stethoscope: { colour: "sound", columns: 1, seconds: 4, highpass: 20, floor: 0.05, tall: false },
});
const PING_MS = 2000;

/** @param {{ one: DeskCase }} props nothing is sent by the box until the reader asks for it */
export function LivePane({ one }) {
  const [sound, setSound] = useState(/** @type {LiveSound | null} */ (null));
  if (!sound) {
    return html`<div class="meanwhile meanwhile-tall"><${Blank} icon="eye" title=${t("live.title")} text=${t("live.text", { site: one.site.name })}>
      <button type="button" class="button button-main" onClick=${() => setSound(new LiveSound())}><${Icon} name="play" />${t("live.start")}</button> <${CallButton} one=${one} /></${Blank}></div>`;
  }
  return html`<${Watching} one=${one} sound=${sound} stop=${() => setSound(null)} />`;
}

/** @param {{ one: DeskCase, sound: LiveSound, stop: () => void }} props */
function Watching({ one, sound, stop }) {
  const [told, setTold] = useState(/** @type {LiveState | null} */ (null));
  const [connected, setConnected] = useState(false);
  const [roundTrip, setRoundTrip] = useState(0);
  const [devices, setDevices] = useState(/** @type {string[]} */ ([]));
  const [muted, setMuted] = useState(false);
  const waves = /** @type {{ current: Record<string, LiveWave | null> }} */ (useRef({}));
  useEffect(() => {
    const live = new Live(`/api/cases/${one.id}/live`);
    live.states.add(setConnected);
    live.texts.add((message) => {
      const said = /** @type {any} */ (message);
      if (said.type === "live") setTold(said);
      if (said.type === "pong") setRoundTrip(performance.now() - said.ping);
    });
    live.frames.add((frame) => {
      if (frame.kind !== "samples") return;
      const { device } = frame.header;
      setDevices((known) => (known.includes(device) || !LOOKS[device] ? known : [...known, device]));
      waves.current[device]?.push(frame);
      if (device === "stethoscope") sound.push(frame);
    });
    const ping = window.setInterval(() => live.isOpen && live.socket?.send(JSON.stringify({ ping: performance.now() })), PING_MS);
    live.open();
    return () => {
      clearInterval(ping);
      live.close();
      sound.close();
    };
  }, [one.id]);
  const flip = () => {
    sound.mute(!muted);
    setMuted(!muted);
  };
  return html`<div class="live">
    <div class="live-head">
      <${State} told=${told} connected=${connected} />
      ${told?.label ? html`<span class="chip chip-attention"><${Icon} name="flask-conical" />${told.label}</span>` : ""}
      <${Figures} told=${told} roundTrip=${roundTrip} />
      <span class="live-end"><${Flip} on=${!muted} icon=${muted ? "volume-x" : "volume-2"} label=${t("live.sound")} flip=${flip} />
      <button type="button" class="button" onClick=${stop}><${Icon} name="square" />${t("live.stop")}</button></span>
    </div>
    <p class="soft small">${t("live.not_for_measurement")}</p>
    <${Whose} told=${told} />
    ${devices.map((device) => html`<${Wave} key=${device} device=${device} hold=${(/** @type {LiveWave | null} */ wave) => { waves.current[device] = wave; }} />`)}
    ${devices.length ? "" : html`<div class="meanwhile meanwhile-tall"><${Blank} icon="hand" title=${t("live.nothing")} text=${t("live.nothing_more")} /></div>`}
  </div>`;
}

/** @param {{ told: LiveState | null, connected: boolean }} props */
function State({ told, connected }) {
  const state = connected ? (told?.state ?? "asking") : "away";
  const look = state === "live" ? "chip-ok" : ["asking", "idle", "no_visit"].includes(state) ? "" : "chip-attention";
  return html`<span class=${`chip ${look}`} role="status"><${Icon} name=${state === "live" ? "eye" : "info"} />${word("live.state", state)}</span>`;
}

/** Time from the sensor to this screen, and what did not come. @param {{ told: LiveState | null, roundTrip: number }} props */
function Figures({ told, roundTrip }) {
  if (!told?.frames) return null;
  const late = told.latency_ms === null ? "–" : String(Math.round(told.latency_ms + roundTrip / 2));
  return html`<span class="live-figures"><span>${t("live.latency")} <bdi dir="ltr" class="value">${late} ms</bdi></span>
    <span>${t("live.gaps")} <bdi dir="ltr" class="value">${told.gaps}</bdi></span><span>${t("live.lost")} <bdi dir="ltr" class="value">${told.lost}</bdi></span></span>`;
}

/** Whoever lies there now need not be the person of this case. @param {{ told: LiveState | null }} props */
function Whose({ told }) {
  if (!told?.frames) return null;
  if (told.patient === "same") return html`<p class="small"><${Icon} name="circle-check" /> ${t("live.same")}</p>`;
  return html`<p class="band band-attention" role="alert"><${Icon} name="triangle-alert" />${t(`live.${told.patient === "other" ? "other" : "unknown"}`)}</p>`;
}

/** @param {{ device: string, hold: (wave: LiveWave | null) => void }} props */
function Wave({ device, hold }) {
  const look = LOOKS[device];
  if (!look) return null;
  return html`<figure class=${`live-wave${look.tall ? " live-wave-tall" : ""}`}>
    <live-wave ref=${hold} colour=${look.colour} columns=${look.columns} seconds=${look.seconds} highpass=${look.highpass} floor=${look.floor} aria-label=${word("live.device", device)}></live-wave>
    <figcaption class="soft small">${word("live.device", device)} · ${ltr(`≥ ${look.highpass} Hz`)}</figcaption>
  </figure>`;
}
