/** What may be done with a whole case: save it in a form that other software reads, withdraw the patient's consent. */

import { post } from "/shared/api.js";
import { date, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { readCase, readInbox } from "/desk/actions.js";
import { CallButton } from "/desk/call.js";
import { PatientStrip } from "/desk/case.js";
import { Dialog } from "/desk/dialog.js";
import { KeepTool } from "/desk/keep.js";
import { useKept } from "/desk/kept-state.js";
import { go } from "/desk/route.js";
import { set, useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */

const FORMS = ["dicom", "fhir", "wfdb", "edf", "wav"];
const PURPOSES = ["care", "teaching", "research", "recording"];

/** @param {{ one: DeskCase }} props */
export function CaseTools({ one }) {
  const { user } = useDesk();
  const { offline } = useKept();
  if (offline) return html`<div class="case-tools"><${KeepTool} one=${one} /></div>`;
  return html`<div class="case-tools">
    ${user?.role === "specialist" ? html`<${CallButton} one=${one} />` : ""}
    <${KeepTool} one=${one} />
    ${user?.role === "specialist" ? html`<button type="button" class="button button-quiet" onClick=${() => set({ dialog: "export" })}><${Icon} name="arrow-down" />${t("export.title")}</button>` : ""}
    ${user?.role === "specialist" && one.consent.purposes.includes("teaching") ? html`<button type="button" class="button button-quiet" onClick=${() => set({ dialog: "teach" })}><${Icon} name="graduation-cap" />${t("teach.title")}</button>` : ""}
    ${user?.role !== "expert" && one.consent.purposes.length ? html`<button type="button" class="button button-quiet" onClick=${() => set({ dialog: "withdraw" })}><${Icon} name="hand" />${t("withdraw.title")}</button>` : ""}
  </div>`;
}

/** Saved by the browser itself, so that a large file never has to fit into the page. */
export function Export() {
  const { open } = useDesk();
  const [form, setForm] = useState("dicom");
  const [purpose, setPurpose] = useState("care");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  if (!open) return null;
  const allowed = PURPOSES.filter((one) => one !== "recording" && (one === "care" || open.consent.purposes.includes(one)));
  const save = async () => {
    setBusy(true);
    setProblem(await download(`/api/cases/${open.id}/export?form=${form}&purpose=${purpose}`));
    setBusy(false);
  };
  return html`<${Dialog} title=${t("export.title")}><${PatientStrip} one=${open} short />
    <p class="soft">${t("export.what")}</p>
    <div class="people-choice" role="radiogroup" aria-label=${t("export.form")}>${FORMS.map((code) => html`<label key=${code} class="person"><input type="radio" name="form" value=${code} checked=${form === code} onChange=${() => setForm(code)} /><span>${t(`export.${code}`)}</span></label>`)}</div>
    <label class="field">${t("export.purpose")}<select value=${purpose} onChange=${(/** @type {any} */ e) => setPurpose(e.target.value)}>${allowed.map((code) => html`<option key=${code} value=${code}>${t(`purpose.${code}`)}</option>`)}</select></label>
    ${problem ? html`<p class="field-error" role="alert"><${Icon} name="circle-alert" />${problem}</p>` : ""}
    <div class="dialog-foot"><button type="button" class="button button-main" disabled=${busy} aria-busy=${busy} onClick=${save}><${Icon} name="arrow-down" />${busy ? t("export.busy") : t("export.save")}</button></div>
  <//>`;
}

/** Fetch a file and hand it to the browser's own saving. @param {string} path @returns {Promise<string>} a sentence where it was refused */
async function download(path) {
  try {
    const answer = await fetch(path);
    if (!answer.ok) return sentence((await answer.json().catch(() => null))?.error?.code);
    const named = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = named?.[1] ?? "case.zip";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    return "";
  } catch {
    return t("error.unreachable");
  }
}

/** @param {string | undefined} code */
function sentence(code) {
  if (code === "no_consent") return t("export.no_consent");
  return code === "not_yet_here" ? t("export.not_yet") : t("export.failed");
}

export function Withdraw() {
  const { open } = useDesk();
  const [chosen, setChosen] = useState(/** @type {string[]} */ ([]));
  const [sure, setSure] = useState(false);
  if (!open) return null;
  const flip = (/** @type {string} */ code) => { setSure(false); setChosen(chosen.includes(code) ? chosen.filter((one) => one !== code) : [...chosen, code]); };
  const care = chosen.includes("care");
  const send = async () => {
    if (care && !sure) return setSure(true);
    try {
      const { destroyed_at_ms } = await post(`/api/cases/${open.id}/withdrawal`, { purposes: chosen });
      set({ dialog: "", trouble: "" });
      if (destroyed_at_ms === null) return void readCase(open.id);
      go("");
      await readInbox();
      set({ trouble: t("withdraw.hidden", { date: date(destroyed_at_ms) }) });
    } catch (error) {
      set({ dialog: "", trouble: /** @type {import("/shared/api.js").ApiError} */ (error).sentence });
    }
  };
  return html`<${Dialog} title=${t("withdraw.title")}><${PatientStrip} one=${open} short />
    <p class="soft">${t("withdraw.what")}</p>
    <div class="people-choice" role="group" aria-label=${t("withdraw.for")}>${PURPOSES.filter((code) => open.consent.purposes.includes(code)).map((code) => html`<label key=${code} class="person"><input type="checkbox" value=${code} checked=${chosen.includes(code)} onChange=${() => flip(code)} /><span>${t(`purpose.${code}`)}${code === "care" ? html`<span class="soft small">${t("withdraw.care")}</span>` : ""}</span></label>`)}</div>
    ${sure ? html`<p class="note note-bad" role="alert"><${Icon} name="triangle-alert" /><span>${t("withdraw.sure")}</span></p>` : ""}
    <div class="dialog-foot"><button type="button" class=${`button ${care ? "button-danger" : "button-main"}`} disabled=${!chosen.length} onClick=${send}>${sure ? t("withdraw.really") : t("withdraw.do")}</button></div>
  <//>`;
}
