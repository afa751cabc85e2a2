/** Where the account's alerts go. */

import { get, put } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";

export function Contact() {
  const [email, setEmail] = useState("");
  const [mail, setMail] = useState(true);
  const [said, setSaid] = useState("");
  const [bad, setBad] = useState(false);
  useEffect(() => void get("/api/contact").then((found) => { setEmail(found.email); setMail(found.mail); }, () => undefined), []);
  const save = (/** @type {Event} */ event) => {
    event.preventDefault();
    put("/api/contact", { email: email.trim() }).then(() => { setSaid(t("contact.saved")); setBad(false); }, () => { setSaid(t("contact.wrong")); setBad(true); });
  };
  return html`<form class="contact" onSubmit=${save}><h3>${t("contact.title")}</h3>
    <p class="soft small">${mail ? t("contact.what") : t("contact.no_mail")}</p>
    <div class="contact-line"><label class="visually-hidden" for="contact">${t("contact.email")}</label>
      <input id="contact" type="email" dir="ltr" maxlength="254" autocomplete="email" placeholder="name@example.org" value=${email} onInput=${(/** @type {any} */ e) => { setEmail(e.target.value); setSaid(""); }} />
      <button type="submit" class="button">${t("contact.save")}</button></div>
    ${said ? html`<p class=${bad ? "field-error" : "soft small"} role="status">${bad ? html`<${Icon} name="circle-alert" />` : ""}${said}</p>` : ""}
  </form>`;
}
