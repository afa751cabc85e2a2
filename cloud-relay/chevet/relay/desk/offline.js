/** Without a line: the door to what is kept on this device, what the page says meanwhile, and shutting it when nobody is there. */

import { clock, date, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { signOut } from "/desk/actions.js";
import { LanguageSwitch } from "/desk/bar.js";
import { Dialog } from "/desk/dialog.js";
import { unsent } from "/desk/kept-drafts.js";
import { lock } from "/desk/kept-lock.js";
import { keptNow, keptSet, useKept } from "/desk/kept-state.js";
import { set, useDesk } from "/desk/store.js";
import { keptCount, Unlock } from "/desk/unlock.js";

/** So long without a touch or a key and what is open shuts. */
const IDLE_MS = 15 * 60_000;

/** Day and time of what is kept. @param {number} ms */
export const stateOf = (ms) => `${date(ms, { day: "numeric", month: "short" })} ${clock(ms)}`;

/** The relay does not answer, but something is kept here. */
export function Door() {
  useDesk();
  const { unlocked } = useKept();
  return html`<div class="desk"><main class="sign-in"><div class="sign-in-card card">
      <div class="sign-in-name"><img src="/shared/mark.svg" alt="" width="44" height="44" /><div><h1>Chevet</h1><p class="soft with-icon"><${Icon} name="wifi-off" />${t("offline.door")}</p></div></div>
      <p>${t("offline.kept", { n: keptCount() })}</p>
      ${unlocked ? html`<p role="status">${t("unlock.busy")}</p>` : html`<${Unlock} />`}
      <p class="soft small">${t("offline.trying")}</p></div>
    <div class="sign-in-foot"><${LanguageSwitch} /></div></main></div>`;
}

/** One line under the bar: no relay, or drafts that wait for the passphrase. */
export function AwayRibbon() {
  const { connected, inboxError, inboxAt } = useDesk();
  const { offline, unlocked, waiting } = useKept();
  const away = offline || (!connected && inboxAt > 0) || inboxError === "unreachable";
  if (away) return html`<p class="ribbon" role="status"><${Icon} name="wifi-off" />${offline && unlocked ? t("offline.reading") : t("away")}</p>`;
  if (!waiting || unlocked) return null;
  return html`<p class="ribbon" role="status"><${Icon} name="lock" />${t("offline.waiting", { n: waiting })}
    <button type="button" class="button button-quiet" onClick=${() => set({ dialog: "unlock" })}>${t("offline.hand_over")}</button></p>`;
}

/** Over a case that is read from this device. @param {{ id: string }} props */
export function StateOf({ id }) {
  const { offline, kept } = useKept();
  const one = kept[id];
  if (!offline || !one) return null;
  return html`<p class="state-of with-icon" role="note"><${Icon} name="wifi-off" /><b>${t("offline.state_of", { time: stateOf(one.kept_ms) })}</b></p>`;
}

/** What needs the relay says so. @param {{ what: string }} props */
export function NeedsLine({ what }) {
  return html`<p class="note"><${Icon} name="wifi-off" /><span>${what}</span></p>`;
}

export function UnlockDialog() {
  return html`<${Dialog} title=${t("offline.hand_over")}><p class="soft">${t("offline.hand_over_how")}</p><${Unlock} then=${() => set({ dialog: "" })} /><//>`;
}

/** Signing out would delete words that the relay does not have. */
export function LeaveDialog() {
  return html`<${Dialog} title=${t("sign_out")}><p class="note note-attention"><${Icon} name="triangle-alert" /><span>${t("leave.what", { n: unsent() })}</span></p>
    <div class="dialog-foot"><button type="button" class="button" onClick=${() => set({ dialog: "" })}>${t("leave.stay")}</button>
      <button type="button" class="button button-danger" onClick=${() => signOut(true)}>${t("leave.go")}</button></div><//>`;
}

/** Shut what is open when nobody touched the page for a while: a device left on a table shows nothing. */
export function shutWhenIdle() {
  let timer = 0;
  const shut = () => {
    if (!keptNow().unlocked) return;
    lock();
    keptSet({ unlocked: false });
    if (keptNow().offline) location.reload();
  };
  const again = () => {
    clearTimeout(timer);
    timer = window.setTimeout(shut, IDLE_MS);
  };
  for (const kind of ["pointerdown", "keydown", "wheel"]) window.addEventListener(kind, again, { passive: true });
  again();
}
