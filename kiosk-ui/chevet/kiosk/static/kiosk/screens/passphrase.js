/** A box whose disk is covered waits for its passphrase, or for the stick with its key; nothing else works until then. */

import { ApiError, get, post } from "/shared/api.js";
import { number, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Languages } from "/kiosk/screens/sign-in.js";

/** @typedef {{ site: string, passphrase: boolean, key_file: boolean, wait_s: number }} Lock */

const LOOK_EVERY_MS = 1000;

/** What the box says of its lock, asked every second; when it is open the page begins anew. @returns {Lock | null} */
function useLock() {
  const [lock, setLock] = useState(/** @type {Lock | null} */ (null));
  useEffect(() => {
    const look = async () => {
      try {
        setLock(await get("/api/lock"));
      } catch (problem) {
        // Only an agent at work does not know this address.
        if (problem instanceof ApiError && problem.code === "not_found") location.reload();
      }
    };
    look();
    const timer = setInterval(look, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return lock;
}

export function Passphrase() {
  const lock = useLock();
  return html`<main class="page sign-in">
    <section class="sign-in-who">
      <${Languages} />
      <h1 tabindex="-1">${t("passphrase.title")}</h1>
      ${lock?.site && html`<p><bdi>${lock.site}</bdi></p>`}
      <p>${t("passphrase.why")}</p>
      <p class="soft">${t("passphrase.who")}</p>
    </section>
    <section class="sign-in-pin card"><${Ask} wait=${lock?.wait_s ?? 0} stick=${Boolean(lock?.key_file)} /></section>
  </main>`;
}

/** @param {{ wait: number, stick: boolean }} props `wait`: seconds until the next try */
function Ask({ wait, stick }) {
  const [said, say] = useState("");
  const [shown, show] = useState(false);
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const ready = said.trim().length > 0 && !busy && !wait;
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!ready) return;
    setBusy(true);
    setError("");
    try {
      await post("/api/lock", { passphrase: said });
    } catch (problem) {
      if (problem instanceof ApiError && problem.code !== "too_many_attempts") setError(problem.sentence);
      say("");
      setBusy(false);
    }
  };
  const note = wait ? t("passphrase.wait", { n: number(wait, 0) }) : error;
  return html`<form class="passphrase" onSubmit=${send}>
    <div class="field"><label for="passphrase">${t("passphrase.field")}</label>
      <input id="passphrase" data-keys="secret" dir="ltr" type=${shown ? "text" : "password"} maxlength="256" autocomplete="off" autocapitalize="none" spellcheck=${false} value=${said}
        onInput=${(/** @type {InputEvent & { target: HTMLInputElement }} */ event) => say(event.target.value)} /></div>
    <button type="button" class="button button-quiet" aria-pressed=${String(shown)} onClick=${() => show(!shown)}><${Icon} name=${shown ? "eye-off" : "eye"} />${shown ? t("passphrase.hide") : t("passphrase.show")}</button>
    <p class=${note ? "field-error" : "soft"} role=${note ? "alert" : undefined}>${note || (busy ? t("passphrase.busy") : stick ? t("passphrase.stick") : "")}</p>
    <button class="button button-main pin-enter" aria-disabled=${String(!ready)}><${Icon} name=${busy ? "loader" : "lock"} />${t("passphrase.open")}</button>
  </form>`;
}
