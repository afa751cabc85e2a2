/** The pieces every screen is made of. */

import { number, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useLayoutEffect, useRef } from "/shared/vendor/htm-preact/standalone.module.js";
import { SayStep, useHintVoice } from "/kiosk/voice.js";

/** @typedef {import("/shared/vendor/htm-preact/standalone.module.js").Child} Child */

/**
 * One screen: a heading, the task, and at the bottom the way on (thumb side) and the way back.
 * @param {{ title: string, step?: Child, icon?: string, class?: string, back?: () => void, backLabel?: string,
 *   note?: Child, extra?: Child, main?: Child, say?: string, children?: Child }} props
 *   `say`: what the voice says where the step holds more than words
 */
export function Page(props) {
  const heading = /** @type {{ current: HTMLElement | null }} */ (useRef(null));
  // A new screen starts at its heading for a screen reader and for the keyboard.
  useLayoutEffect(() => heading.current?.focus({ preventScroll: true }), [props.title]);
  const body = useScrollable();
  const footer = props.back || props.main || props.extra || props.note;
  return html`<main class=${`page ${props.class ?? ""}`}>
    <header class="page-head">
      ${props.icon && html`<${Icon} name=${props.icon} size="44px" />`}
      <div>
        <h1 tabindex="-1" ref=${heading}>${props.title}</h1>
        ${props.step && html`<p class="soft page-step">${props.step}</p>`}
      </div>
      <${SayStep} texts=${[props.say, props.title, props.step]} />
    </header>
    <div class="page-body" ref=${body}>${props.children}</div>
    ${footer &&
    html`<footer class="page-foot">
      ${props.back && html`<${Back} go=${props.back} label=${props.backLabel} />`}
      <div class="page-note">${props.note}</div>
      ${props.extra} ${props.main}
    </footer>`}
  </main>`;
}

/** What does not fit can be scrolled by the keyboard too: it is reached like a button, only while it scrolls. */
function useScrollable() {
  const body = /** @type {{ current: HTMLElement | null }} */ (useRef(null));
  useEffect(() => {
    const box = body.current;
    if (!box) return undefined;
    let waiting = 0;
    const look = () => {
      if (box.scrollHeight > box.clientHeight + 1) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    };
    // In a frame of its own: what an observer changes while it observes, a browser reports as an error.
    const watcher = new ResizeObserver(() => {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(look);
    });
    watcher.observe(box);
    for (const child of box.children) watcher.observe(child);
    look();
    return () => {
      cancelAnimationFrame(waiting);
      watcher.disconnect();
    };
  });
  return body;
}

/** @param {{ go: () => void, label?: string }} props */
function Back({ go, label }) {
  return html`<button class="button button-quiet" onClick=${go}><${Icon} name="arrow-left" />${label ?? t("do.back")}</button>`;
}

/** The main button. `why` says beside it why it is disabled. @param {{ go: () => void, icon?: string, why?: string, busy?: boolean, children: Child }} props */
export function Main({ go, icon, why, busy, children }) {
  const stopped = Boolean(why) || Boolean(busy);
  return html`${why && html`<p class="why" id="why">${why}</p>`}
    <button
      class="button button-main main-button"
      aria-disabled=${stopped ? "true" : undefined}
      aria-describedby=${why ? "why" : undefined}
      onClick=${() => !stopped && go()}
    >
      ${icon && html`<${Icon} name=${busy ? "loader" : icon} />`}${children}
    </button>`;
}

/** @param {{ go: () => void, icon?: string, class?: string, children: Child }} props */
export function Button({ go, icon, class: kind = "", children }) {
  return html`<button class=${`button ${kind}`} onClick=${go}>${icon && html`<${Icon} name=${icon} />`}${children}</button>`;
}

const UNITS = /** @type {Record<string, string>} */ ({
  "%": "%", "/min": "/min", "mm[Hg]": "mmHg", Cel: "°C", "mg/dL": "mg/dL", kg: "kg", ms: "ms", mV: "mV", deg: "°",
});

/** A number with its unit, left to right in every language. @param {{ value: number | null | undefined, unit: string, digits?: number }} props */
export function Value({ value, unit, digits = 1 }) {
  const text = value === null || value === undefined ? "\u2013" : number(value, digits);
  return html`<bdi dir="ltr" class="value">${text} <span class="unit">${unitText(unit)}</span></bdi>`;
}

/** @param {string} unit UCUM @returns {string} as people write it */
export function unitText(unit) {
  return UNITS[unit] ?? unit;
}

const HINTS = /** @type {Record<string, string>} */ ({ ok: "circle-check", attention: "hand", bad: "triangle-alert", info: "info" });

/** One sentence of help with a shape and a colour. @param {{ kind: "ok" | "attention" | "bad" | "info", title: Child, say?: string, icon?: string, picture?: Child, children?: Child }} props `say`: what the voice says where the title holds a name; `picture`: instead of the icon */
export function Hint({ kind, title, say, icon, picture, children }) {
  useHintVoice(say ?? title);
  return html`<div class=${`hint hint-${kind}`} role=${kind === "bad" ? "alert" : "status"}>
    ${picture ?? html`<${Icon} name=${icon ?? HINTS[kind] ?? "info"} size="1.6em" />`}
    <div><b>${title}</b>${children && html`<p>${children}</p>`}</div>
  </div>`;
}

/** @param {{ kind?: "" | "ok" | "attention" | "bad" | "info", icon?: string, class?: string, children: Child }} props */
export function Chip({ kind = "", icon, class: more = "", children }) {
  return html`<span class=${`chip ${kind && `chip-${kind}`} ${more}`}>${icon && html`<${Icon} name=${icon} size="1.1em" />`}${children}</span>`;
}

/** A big square to choose with. @param {{ icon?: string, title: Child, chosen?: boolean, go: () => void, class?: string, children?: Child, role?: string }} props */
export function Choice({ icon, title, chosen, go, class: kind = "", children, role = "button" }) {
  const state = role === "radio" ? { "aria-checked": String(Boolean(chosen)) } : { "aria-pressed": String(Boolean(chosen)) };
  return html`<button class=${`choice ${kind}`} role=${role === "button" ? undefined : role} ...${state} onClick=${go}>
    ${icon && html`<${Icon} name=${icon} size="40px" />`}<span class="choice-title">${title}</span>${children}
    ${chosen && html`<span class="choice-mark"><${Icon} name="check" size="18px" /></span>`}
  </button>`;
}

/** A question over the screen; Escape is "no". @param {{ title: string, close: () => void, children: Child, class?: string }} props */
export function Dialog({ title, close, children, class: kind = "" }) {
  const box = /** @type {{ current: HTMLDialogElement | null }} */ (useRef(null));
  useEffect(() => {
    box.current?.showModal();
  }, []);
  return html`<dialog class=${`dialog ${kind}`} ref=${box} aria-label=${title} onClose=${close}>
    <header class="dialog-head">
      <h2>${title}</h2>
      <button class="button button-quiet button-round" aria-label=${t("do.close")} onClick=${close}><${Icon} name="x" /></button>
    </header>
    ${children}
  </dialog>`;
}

/** Nothing here, said kindly. @param {{ icon: string, title: string, children?: Child }} props */
export function Empty({ icon, title, children }) {
  return html`<div class="empty"><${Icon} name=${icon} size="56px" /><b>${title}</b>${children && html`<p class="soft">${children}</p>`}</div>`;
}
