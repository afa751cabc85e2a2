/** Sign-in: name, password, then the second factor; what went wrong in plain words. */

import { ApiError, post } from "/shared/api.js";
import { has, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { enter, signIn } from "/desk/actions.js";
import { LanguageSwitch } from "/desk/bar.js";
import { PasskeyAlone } from "/desk/passkey-button.js";
import { enterByPasskey } from "/desk/passkey.js";
import { SecondFactor } from "/desk/second-factor.js";
import { set, useDesk } from "/desk/store.js";

/** What went wrong at the identity provider, as the address says it; it stands there once. */
function brought() {
  const code = location.hash.match(/^#\/sign-in\/(\w{1,40})$/)?.[1];
  if (!code) return "";
  history.replaceState(null, "", location.pathname);
  return has(`error.${code}`) ? t(`error.${code}`) : t("error.other");
}

export function SignIn() {
  const { status, ended, next } = useDesk();
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState(brought);
  const [wrong, setWrong] = useState(false); // the password was, nothing else
  const [busy, setBusy] = useState(false);

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    setBusy(true);
    setWrong(false);
    setProblem("");
    try {
      await signIn(user.trim(), password);
    } catch (error) {
      setProblem(error instanceof ApiError ? error.sentence : t("error.other"));
      setWrong(true);
      setPassword("");
    }
    setBusy(false);
  }

  async function away() {
    setProblem("");
    await post("/api/oidc").then(({ to }) => location.assign(to), (error) => setProblem(error.sentence));
  }

  async function byPasskey() {
    const answer = await enterByPasskey("sign_in");
    set({ user: answer.user, next: answer.next, ended: false, trouble: "" });
    if (answer.user) await enter();
  }

  return html`<main class="sign-in">
    <div class="sign-in-card card">
      <div class="sign-in-name"><img src="/shared/mark.svg" alt="" width="44" height="44" /><div><h1>Chevet</h1><p class="soft">${t("desk_of", { programme: status?.programme ?? "" })}</p></div></div>
      ${ended ? html`<p class="note note-attention" role="status"><${Icon} name="clock" />${t("session_ended")}</p>` : ""}
      ${status?.second_factor === "off" ? html`<p class="note"><${Icon} name="flask-conical" />${t("factor.off")}</p>` : ""}
      ${next ? html`<${SecondFactor} given=${password} />` : html`<form onSubmit=${submit}>
        <div class="field"><label for="user">${t("user")}</label>
          <input id="user" name="user" autocomplete="username" autocapitalize="none" spellcheck=${false} required value=${user} onInput=${(/** @type {any} */ e) => setUser(e.target.value)} /></div>
        <div class="field"><label for="password">${t("password")}</label>
          <input id="password" name="password" type="password" autocomplete="current-password" required aria-invalid=${wrong ? "true" : null} value=${password} onInput=${(/** @type {any} */ e) => setPassword(e.target.value)} /></div>
        ${problem ? html`<p class="field-error" role="alert"><${Icon} name="circle-alert" />${problem}</p>` : ""}
        <button type="submit" class="button button-main" disabled=${busy}>${t("sign_in")}</button>
        <${PasskeyAlone} use=${byPasskey} told=${setProblem} />
        ${status?.provider ? html`<button type="button" class="button" onClick=${away}><${Icon} name="building-2" />${t("provider.sign_in", { name: status.provider })}</button>` : ""}
      </form>`}
    </div>
    <div class="sign-in-foot"><${LanguageSwitch} />
      <button type="button" class="link" onClick=${() => set({ dialog: "about" })}>${t("about.title")}</button></div>
  </main>`;
}
