/** The patient's card: printed on 85 x 54 mm, read by a scanner that types like a keyboard. */

import { ApiError, post } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { attempt } from "/kiosk/attempt.js";
import { Button, Main, Page } from "/kiosk/parts.js";
import { set, useKiosk } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Patient} PatientShape */

const LETTERS_KEPT = 40; // more than a card has
/** What a card says (patient_card.py): a mark and 34 letters that lie on the same keys everywhere. */
const CARD = /TX[B-LN-PRS]{34}$/;

/** @param {PatientShape} patient */
export function isCoded(patient) {
  return /^Code [0-9A-Z]{3}-[0-9A-Z]{3}$/.test(patient.name);
}

/**
 * Listen for a scanner. Keys are read by their place, so that an Arabic or French layout changes nothing.
 * @param {(patient: PatientShape) => void} found
 */
export function useScanner(found) {
  useEffect(() => {
    let typed = "";
    const key = async (/** @type {KeyboardEvent} */ event) => {
      const letter = /^Key([A-Z])$/.exec(event.code)?.[1];
      if (letter) typed = (typed + letter).slice(-LETTERS_KEPT);
      if (event.key !== "Enter") return;
      const text = CARD.exec(typed)?.[0];
      typed = "";
      if (!text) return;
      event.preventDefault();
      const patient = await scan(text);
      if (patient) found(patient);
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);
}

/** @param {string} text @returns {Promise<PatientShape | undefined>} a card of another box is said to be one */
async function scan(text) {
  let elsewhere = false;
  const patient = await attempt(async () => {
    try {
      return await post("/api/patients/scan", { text });
    } catch (error) {
      elsewhere = error instanceof ApiError && error.code === "not_found";
      if (!elsewhere) throw error;
      return undefined;
    }
  });
  if (elsewhere) set({ trouble: t("card.elsewhere") });
  return patient;
}

/** @param {{ patient: PatientShape, back: () => void }} props */
export function CardPage({ patient, back }) {
  const { status } = useKiosk();
  const [rows, setRows] = useState(/** @type {string[]} */ ([]));
  useEffect(() => {
    attempt(() => post("/api/patients/card", { patient: patient.id })).then((card) => card && setRows(card.rows));
  }, [patient.id]);
  return html`<${Page} title=${t("card.title")} step=${t("card.help")} icon="qr-code" class="card-page" back=${back}
    extra=${html`<${Button} go=${() => print()} icon="printer">${t("answer.print")}<//>`}
    main=${html`<${Main} go=${back} icon="arrow-right">${t("do.next")}<//>`}>
    <section class="patient-card" aria-label=${t("card.title")}>
      <${Square} rows=${rows} />
      <div><b><bdi>${patient.name}</bdi></b>
        ${!isCoded(patient) && patient.local_number && html`<bdi dir="ltr">${patient.local_number}</bdi>`}
        <span class="small">${status?.site.name}</span><span class="small">${t("card.keep")}</span></div>
    </section>
  <//>`;
}

/** @param {{ rows: string[] }} props */
function Square({ rows }) {
  const size = rows.length + 8; // four modules of margin on each side (ISO/IEC 18004)
  const dark = rows.flatMap((row, y) => [...row].map((one, x) => (one === "1" ? `M${x + 4} ${y + 4}h1v1h-1z` : ""))).join("");
  return html`<svg class="qr" viewBox=${`0 0 ${size} ${size}`} role="img" aria-label=${t("card.title")}><rect width=${size} height=${size} fill="#fff" /><path d=${dark} fill="#000" /></svg>`;
}
