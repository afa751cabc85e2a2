/** Where a passkey may be given: on the sign-in page, after the password, before signing. */

import { ApiError, get } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { able } from "/desk/passkey.js";
import { useDesk } from "/desk/store.js";

/** Whether passkeys work on the page as it was opened. @param {string | undefined} origin the relay's word */
const athome = (origin) => able() && origin === location.origin;

/** A button that asks the browser for a passkey. @param {{ label: string, use: () => Promise<unknown>, told: (sentence: string) => void, main?: boolean }} props */
export function PasskeyButton({ label, use, told, main }) {
  const [busy, setBusy] = useState(false);
  async function press() {
    setBusy(true);
    told("");
    await use().catch((error) => told(error instanceof ApiError ? error.sentence : t("error.other")));
    setBusy(false);
  }
  return html`<button type="button" class=${`button button-passkey${main ? " button-main" : ""}`} disabled=${busy} onClick=${press}><${Icon} name="key-round" />${label}</button>`;
}

/** The passkey beside a code, for who has one. @param {{ use: () => Promise<unknown>, told: (sentence: string) => void }} props */
export function PasskeyInstead({ use, told }) {
  const [has, setHas] = useState(false);
  const look = async () => {
    const [session, status] = await Promise.all([get("/api/session"), get("/api/status")]);
    setHas(Boolean(session.passkey) && athome(status.passkeys));
  };
  useEffect(() => void look().catch(() => undefined), []);
  if (!has) return "";
  return html`<${PasskeyButton} label=${t("passkey.use")} use=${use} told=${told} /><p class="sign-in-or"><span>${t("passkey.or_code")}</span></p>`;
}

/** The passkey beside name and password; where the page stands at another address, where it works. @param {{ use: () => Promise<unknown>, told: (sentence: string) => void }} props */
export function PasskeyAlone({ use, told }) {
  const { status } = useDesk();
  const origin = status?.passkeys ?? "";
  if (athome(origin)) return html`<${PasskeyButton} label=${t("passkey.sign_in")} use=${use} told=${told} />`;
  if (!origin || origin === location.origin || new URL(origin).hostname === "localhost") return "";
  return html`<p class="soft small">${t("passkey.elsewhere", { origin })}</p>`;
}
