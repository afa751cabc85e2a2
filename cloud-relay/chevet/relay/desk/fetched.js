/** Bytes of a recording: loading, there, not here yet, or failed; read again when a better layer arrives. */

import { ApiError } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { bestLayer, Blank, Failure, share } from "/desk/say.js";

/** @typedef {import("/desk/types.js").DeskRecording} DeskRecording */

/**
 * @template T
 * @typedef {{state: "absent" | "loading" | "there" | "failed", value: T | null, code: string, again: () => void}} Fetched
 */

/**
 * @template T
 * @param {DeskRecording} recording
 * @param {(layer: string) => Promise<T>} read
 * @returns {Fetched<T>} while a better layer is read, the earlier one stays
 */
export function useLayer(recording, read) {
  const layer = bestLayer(recording);
  const [tries, setTries] = useState(0);
  const [got, setGot] = useState(/** @type {{value: T | null, code: string, of: string}} */ ({ value: null, code: "", of: "" }));
  useEffect(() => {
    if (!layer) return undefined;
    let wanted = true;
    read(layer).then(
      (value) => wanted && setGot({ value, code: "", of: recording.id }),
      (error) => wanted && setGot({ value: null, code: error instanceof ApiError ? error.code : "unreadable", of: recording.id }),
    );
    return () => {
      wanted = false;
    };
  }, [recording.id, layer, tries]);
  const again = () => setTries((n) => n + 1);
  const mine = got.of === recording.id;
  if (!layer) return { state: "absent", value: null, code: "", again };
  if (mine && got.code) return { state: "failed", value: null, code: got.code, again };
  return { state: mine && got.value ? "there" : "loading", value: mine ? got.value : null, code: "", again };
}

/** What to show while there is nothing to read. @param {{ fetched: Fetched<any>, recording: DeskRecording, tall?: boolean }} props */
export function Meanwhile({ fetched, recording, tall }) {
  const look = `meanwhile${tall ? " meanwhile-tall" : ""}`;
  if (fetched.state === "failed") return html`<div class=${look}><${Failure} code=${fetched.code} again=${fetched.again} /></div>`;
  if (fetched.state === "loading") return html`<div class=${`${look} meanwhile-loading`} role="status"><span class="visually-hidden">${t("loading")}</span></div>`;
  return html`<div class=${look}><${Blank} icon="truck" title=${t("not_yet.title")} text=${t("not_yet.text")}>
    <progress max="1" value=${share(recording.layers)} aria-label=${t("arriving")}></progress></${Blank}></div>`;
}

/** A pane whose step was not done. @param {{ icon: string, what: string }} props */
export function NotDone({ icon, what }) {
  return html`<div class="meanwhile"><${Blank} icon=${icon} title=${t("not_done.title", { what })} text=${t("not_done.text")} /></div>`;
}

/** A labelled choice of one among few, as the tool rows use it. @param {{ label: string, value: string, options: [string, string][], choose: (value: string) => void }} props */
export function Pick({ label, value, options, choose }) {
  return html`<label class="pick"><span>${label}</span>
    <select value=${value} onChange=${(/** @type {any} */ e) => choose(e.target.value)}>
      ${options.map(([code, text]) => html`<option value=${code} key=${code} selected=${code === value}>${text}</option>`)}
    </select></label>`;
}

/** A switch that is on or off. @param {{ on: boolean, icon: string, label: string, flip: () => void }} props */
export function Flip({ on, icon, label, flip }) {
  return html`<button type="button" class="flip" aria-pressed=${on} onClick=${flip}><${Icon} name=${icon} />${label}</button>`;
}
