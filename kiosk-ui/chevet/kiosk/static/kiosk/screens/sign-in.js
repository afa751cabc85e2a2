/** Language, who, PIN. */

import { ApiError } from "/shared/api.js";
import { t, unconfirmed } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useLayoutEffect, useRef, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { chooseLanguage, signIn, signInByBadge } from "/kiosk/actions.js";
import { useBadge } from "/kiosk/badge.js";
import { Keypad, typed } from "/kiosk/keypad.js";
import { offered } from "/kiosk/languages.js";
import { Empty } from "/kiosk/parts.js";
import { initials } from "/kiosk/people.js";
import { useKiosk } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Person} Person */

const PIN_SHORTEST = 4;
const PIN_LONGEST = 12;

export function SignIn() {
  const { status, ended } = useKiosk();
  const [worker, choose] = useState(/** @type {Person | null} */ (null));
  const [refused, refuse] = useState("");
  useBadge(worker !== null, (text) => {
    choose(null); // a PIN half typed is not this badge's
    refuse("");
    signInByBadge(text).catch((problem) => refuse(problem instanceof ApiError ? problem.sentence : t("error.other")));
  });
  const pick = (/** @type {Person} */ person) => {
    refuse("");
    choose(person);
  };
  return html`<main class="page sign-in">
    <section class="sign-in-who">
      <${Languages} />
      <h1 tabindex="-1">${t("signin.who")}</h1>
      ${ended && html`<p class="notice"><${Icon} name="lock" />${t("signin.ended")}</p>`}
      <div class="worker-tiles">
        ${(status?.workers ?? []).map(
          (person) => html`<button class="worker" aria-pressed=${String(person.id === worker?.id)} onClick=${() => pick(person)}>
            <span class="worker-face"><bdi>${initials(person.name)}</bdi></span><bdi>${person.name}</bdi>
          </button>`,
        )}
        ${status && !status.workers.length && html`<${Empty} icon="users" title=${t("signin.nobody")}>${t("signin.nobody.help")}<//>`}
      </div>
    </section>
    <section class="sign-in-pin card">
      ${worker ? html`<${Pin} worker=${worker} key=${worker.id} />` : html`<${Welcome} refused=${refused} />`}
    </section>
  </main>`;
}

/** The languages as buttons; for who cannot read the one that is chosen. */
export function Languages() {
  const { language } = useKiosk();
  return html`<div class="language-row" role="group" aria-label=${t("bar.language")}>
    ${offered().map(
      ([code, name]) => html`<button class="button" lang=${code} aria-pressed=${String(code === language)} onClick=${() => chooseLanguage(code)}>${name}</button>`,
    )}
  </div>`;
}

/** @param {{ refused: string }} props what is wrong with the badge just read, or "" */
function Welcome({ refused }) {
  return html`<div class="welcome">
    <img src="/shared/mark.svg" alt="" width="72" height="72" />
    <b>${t("app.name")}</b>
    <p class="soft">${t("signin.touch")}</p>
    <p class="signin-badge"><${Icon} name="id-card" size="28px" />${t("signin.badge")}</p>
    ${refused && html`<p class="field-error" role="alert"><${Icon} name="circle-alert" />${refused}</p>`}
    <p class="small soft">${t("about.short")}</p>
    ${unconfirmed() && html`<p class="small soft">${t("about.unconfirmed")}</p>`}
  </div>`;
}

/** @param {{ worker: Person }} props */
function Pin({ worker }) {
  const [pin, setPin] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const heading = /** @type {{ current: HTMLElement | null }} */ (useRef(null));
  useLayoutEffect(() => heading.current?.focus(), []); // so that Enter on a keyboard means the PIN, not the tile
  const press = (/** @type {string} */ key) => {
    setError("");
    setPin((text) => typed(text, key, PIN_LONGEST));
  };
  const send = async () => {
    setBusy(true);
    try {
      await signIn(worker.id, pin);
    } catch (problem) {
      setError(problem instanceof ApiError ? problem.sentence : t("error.other"));
      setPin("");
      setBusy(false);
    }
  };
  const ready = pin.length >= PIN_SHORTEST && !busy;
  const enter = () => ready && send();
  return html`<div class="pin">
    <h2 tabindex="-1" ref=${heading}><bdi>${worker.name}</bdi></h2>
    <p class=${error ? "field-error" : "soft"} role=${error ? "alert" : undefined}>${error || t("signin.pin")}</p>
    <div class="pin-dots" dir="ltr" role="img" aria-label=${t("signin.typed", { n: pin.length })}>
      ${Array.from({ length: Math.max(PIN_SHORTEST, pin.length) }, (_, i) => html`<i class=${i < pin.length ? "full" : ""}></i>`)}
    </div>
    <${Keypad} press=${press} enter=${enter} />
    <button class="button button-main pin-enter" aria-disabled=${String(!ready)} onClick=${enter}><${Icon} name="log-in" />${t("signin.enter")}</button>
  </div>`;
}
