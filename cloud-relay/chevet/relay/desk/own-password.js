/** A password of one's own: in the place of a first one at sign-in, and changed in the account. */

import { ApiError, post, put } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { useProof } from "/desk/proof-first.js";
import { useDesk } from "/desk/store.js";

const LEAST = 12;

/** @param {{ id: string, label: string, value: string, change: (text: string) => void, now?: boolean, told?: string }} props */
function Field({ id, label, value, change, now, told }) {
  return html`<div class="field"><label for=${id}>${label}</label>
    <input id=${id} type="password" dir="ltr" autocomplete=${now ? "current-password" : "new-password"} required minlength=${now ? null : LEAST} maxlength="1024" aria-describedby=${told ?? null} value=${value} onInput=${(/** @type {any} */ e) => change(e.target.value)} /></div>`;
}

/** Why two fields are no new password yet, "" where they are. @param {string} one @param {string} other */
function lacking(one, other) {
  if (one.length < LEAST) return t("own.short");
  return one === other ? "" : t("own.differ");
}

/** At the first sign-in. @param {{ given: string, done: (answer: any) => void }} props `given`: the first password as it was just typed, "" after a reload */
export function FirstPassword({ given, done }) {
  const [old, setOld] = useState(given);
  const [one, setOne] = useState("");
  const [other, setOther] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const why = lacking(one, other);
    if (why) return setProblem(why);
    setBusy(true);
    post("/api/session/password", { old, new: one }).then(done, (error) => {
      setProblem(error instanceof ApiError ? error.sentence : t("error.other"));
      setBusy(false);
    });
  };
  return html`<form class="factor" onSubmit=${submit}><p>${t("own.first")}</p><p id="own-how" class="soft small">${t("own.how")}</p>
    ${given ? "" : html`<${Field} id="own-old" label=${t("own.first_one")} value=${old} change=${setOld} now />`}
    <${Field} id="own-new" label=${t("own.new")} value=${one} change=${setOne} told="own-how" /><${Field} id="own-again" label=${t("own.again")} value=${other} change=${setOther} />
    ${problem ? html`<p class="field-error" role="alert"><${Icon} name="circle-alert" />${problem}</p>` : ""}
    <button type="submit" class="button button-main" disabled=${busy}>${t("factor.go_on")}</button></form>`;
}

/** In the account; a change ends the sessions elsewhere. */
export function ChangePassword() {
  const { user } = useDesk();
  const [words, setWords] = useState({ old: "", one: "", other: "" });
  const [said, setSaid] = useState(false);
  const [wrong, setWrong] = useState("");
  const { attempt, asked, problem, busy } = useProof();
  const put_ = (/** @type {Partial<typeof words>} */ part) => { setSaid(false); setWords({ ...words, ...part }); };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const why = lacking(words.one, words.other);
    setWrong(why);
    if (why) return;
    void attempt((proof) => put("/api/password", { old: words.old, new: words.one, ...proof }).then(() => { setWords({ old: "", one: "", other: "" }); setSaid(true); }));
  };
  return html`<details class="own-password"><summary>${t("own.title")}</summary>${asked || html`<form onSubmit=${submit}>
    <input class="visually-hidden" type="text" name="username" autocomplete="username" value=${user?.id} readonly tabindex="-1" aria-hidden="true" />
    <p id="own-how" class="soft small">${t("own.how")}</p>
    <${Field} id="own-old" label=${t("own.now")} value=${words.old} change=${(/** @type {string} */ old) => put_({ old })} now />
    <${Field} id="own-new" label=${t("own.new")} value=${words.one} change=${(/** @type {string} */ one) => put_({ one })} told="own-how" />
    <${Field} id="own-again" label=${t("own.again")} value=${words.other} change=${(/** @type {string} */ other) => put_({ other })} />
    ${wrong ? html`<p class="field-error" role="alert"><${Icon} name="circle-alert" />${wrong}</p>` : problem}
    ${said ? html`<p class="note note-ok" role="status"><${Icon} name="circle-check" /><span>${t("own.changed")}</span></p>` : ""}
    <div class="dialog-foot"><button type="submit" class="button" disabled=${busy}>${t("own.change")}</button></div></form>`}</details>`;
}
