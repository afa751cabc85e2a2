/** A patient seen here for the first time. */

import { post } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { attempt } from "/kiosk/attempt.js";
import { Button, Hint, Main, Page } from "/kiosk/parts.js";
import { boxNow } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Patient} PatientShape */
/** @typedef {{ name: string, by: "year" | "age", number: string, sex: string, local: string, coded: boolean }} Form */
/** @typedef {InputEvent & { target: HTMLInputElement }} Typing */

const OLDEST = 120; // years

/** @param {Form} form @returns {number | null} birth year; NaN when what was typed cannot be one */
export function birthYear(form) {
  if (!form.number) return null;
  const year = new Date(boxNow()).getFullYear();
  const born = form.by === "year" ? Number(form.number) : year - Number(form.number);
  return born >= year - OLDEST && born <= year ? born : NaN;
}

/** @param {{ back: () => void, done: (patient: PatientShape) => void }} props */
export function NewPatient({ back, done }) {
  const [form, setForm] = useState(/** @type {Form} */ ({ name: "", by: "age", number: "", sex: "", local: "", coded: false }));
  const [busy, setBusy] = useState(false);
  const change = (/** @type {Partial<Form>} */ part) => setForm((last) => ({ ...last, ...part }));
  const born = birthYear(form);
  const save = async () => {
    setBusy(true);
    if (form.coded) {
      const unnamed = await attempt(() => post("/api/patients/coded", { birth_year: born, sex: form.sex }));
      setBusy(false);
      if (unnamed) done(unnamed);
      return;
    }
    const body = { name: form.name.trim(), birth_year: born, sex: form.sex, local_number: form.local.trim() };
    const patient = await attempt(() => post("/api/patients", body));
    setBusy(false);
    if (patient) done(patient);
  };
  return html`<${Page} title=${t("patient.new")} icon="user-plus" back=${back}
    extra=${html`<${Button} go=${() => change({ coded: !form.coded })} icon="shield-check" class="button-quiet">${form.coded ? t("patient.coded.off") : t("patient.coded")}<//>`}
    main=${html`<${Main} go=${save} icon="arrow-right" busy=${busy} why=${missing(form, born)}>${t("do.next")}<//>`}>
    <div class="form-grid">
      ${form.coded ? html`<${Hint} kind="info" icon="shield-check" title=${t("patient.coded.on")}>${t("patient.coded.help")}<//>` : html`<div class="field form-wide"><label for="name">${t("patient.name")}</label>
        <input id="name" autocomplete="off" spellcheck=${false} dir=${form.name ? "auto" : undefined} maxlength="80" value=${form.name} onInput=${(/** @type {Typing} */ event) => change({ name: event.target.value })} /></div>`}
      <${Born} form=${form} change=${change} wrong=${Number.isNaN(born)} />
      <${Sex} form=${form} change=${change} />
      ${!form.coded && html`<div class="field"><label for="local">${t("patient.number")}</label>
        <input id="local" autocomplete="off" dir="ltr" maxlength="24" value=${form.local} onInput=${(/** @type {Typing} */ event) => change({ local: event.target.value })} />
        <span class="field-note">${t("patient.number.help")}</span></div>`}
    </div>
  <//>`;
}

/** @param {Form} form @param {number | null} born */
function missing(form, born) {
  if (!form.coded && !form.name.trim()) return t("patient.why.name");
  if (Number.isNaN(born)) return t("patient.why.birth");
  if (born === null && form.coded) return t("patient.why.birth_coded");
  if (born === null && !form.local.trim()) return t("patient.why.second");
  return form.sex ? "" : t("patient.why.sex");
}

/** @param {{ form: Form, change: (part: Partial<Form>) => void, wrong: boolean }} props */
function Born({ form, change, wrong }) {
  return html`<div class="field"><label for="born">${t(`patient.${form.by}`)}</label>
    <div class="with-switch">
      <input id="born" inputmode="numeric" dir="ltr" maxlength="4" aria-invalid=${String(wrong)} value=${form.number}
        onInput=${(/** @type {Typing} */ event) => change({ number: event.target.value.replace(/\D/g, "") })} />
      <div class="segments" role="group" aria-label=${t("patient.year_or_age")}>
        ${/** @type {const} */ (["age", "year"]).map(
          (by) => html`<button aria-pressed=${String(form.by === by)} onClick=${() => change({ by, number: "" })}>${t(`patient.by.${by}`)}</button>`,
        )}
      </div>
    </div>
    ${wrong && html`<span class="field-error"><${Icon} name="circle-alert" />${t("patient.why.birth")}</span>`}
  </div>`;
}

/** @param {{ form: Form, change: (part: Partial<Form>) => void }} props */
function Sex({ form, change }) {
  return html`<div class="field"><span class="label" id="sex">${t("patient.sex")}</span>
    <div class="segments segments-wide" role="group" aria-labelledby="sex">
      ${["F", "M"].map((sex) => html`<button aria-pressed=${String(form.sex === sex)} onClick=${() => change({ sex })}>${t(`sex.${sex}`)}</button>`)}
    </div></div>`;
}
