/** An ECG that a cart recorded: offered instead of a new recording, with whose it is. */

import { get, post } from "/shared/api.js";
import { clock, date, t } from "/shared/i18n.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { attempt } from "/kiosk/attempt.js";
import { Button, Chip, Choice, Dialog, Main, Page } from "/kiosk/parts.js";
import { boxNow, now, set } from "/kiosk/store.js";

/** @typedef {import("/shared/types.js").Visit} Visit */
/**
 * A file of the cart, as GET /api/imports gives it.
 * @typedef {{ id: string, driver: string, arrived_ms: number, taken: string, seconds: number, leads: string[],
 *   patient: "same" | "other" | "not_named" | "", simulated: boolean }} CartFile
 */

const LOOK_MS = 4000; // a cart writes a file in seconds, and nobody waits for a fraction of them
const SHOWN = 3;
const OTHER = "other";
const MARKS = /** @type {Record<string, { kind: "ok" | "attention" | "info", icon: string }>} */ ({
  same: { kind: "ok", icon: "check" }, other: { kind: "attention", icon: "triangle-alert" }, not_named: { kind: "info", icon: "info" },
});

/** The cart's files while an ECG is to be recorded. @param {Visit} visit @param {boolean} wanted */
export function useCart(visit, wanted) {
  const [files, setFiles] = useState(/** @type {CartFile[]} */ ([]));
  const [passed, setPassed] = useState(/** @type {string[]} */ ([]));
  const look = async () => {
    const found = await get("/api/imports").catch(() => null);
    if (found) setFiles(found.imports);
  };
  useEffect(() => {
    if (!wanted) return undefined;
    look();
    const timer = setInterval(look, LOOK_MS);
    return () => clearInterval(timer);
  }, [visit.id, wanted]);
  const offered = wanted ? files.filter(({ id }) => !passed.includes(id)).slice(0, SHOWN) : [];
  return { offered, pass: () => setPassed(files.map(({ id }) => id)) };
}

/** @typedef {ReturnType<typeof useCart>} Cart */

/** "An ECG from the cart is here: use it?" @param {{ visit: Visit, cart: Cart, leave: () => void }} props */
export function CartOffer({ visit, cart, leave }) {
  const [picked, pick] = useState(cart.offered.length === 1 && cart.offered[0]?.patient !== OTHER ? (cart.offered[0]?.id ?? "") : "");
  const [asking, ask] = useState(false);
  const [busy, setBusy] = useState(false);
  const file = cart.offered.find(({ id }) => id === picked);
  const take = async (/** @type {boolean} */ confirm) => {
    setBusy(true);
    ask(false);
    const capture = await attempt(() => post(`/api/visits/${visit.id}/imports`, { file: picked, confirm }));
    setBusy(false);
    const current = now().visit;
    if (capture && current?.id === visit.id) set({ visit: { ...current, capture } });
  };
  const go = () => (file?.patient === OTHER ? ask(true) : take(false));
  return html`<${Page} title=${t("cart.title")} icon="med/heart_cardiogram" step=${t("cart.step")} class="cart-offer" back=${leave}
    extra=${html`<${Button} go=${cart.pass} class="button-quiet">${t("cart.pass")}<//>`}
    main=${html`<${Main} go=${go} icon="check" busy=${busy} why=${file ? "" : t("cart.why")}>${t("cart.use")}<//>`}>
    <div class="choices choices-3" role="radiogroup" aria-label=${t("cart.title")}>
      ${cart.offered.map((one) => html`<${CartChoice} file=${one} chosen=${one.id === picked} go=${() => pick(one.id)} />`)}
    </div>
    ${asking && html`<${Dialog} title=${t("cart.other.title")} close=${() => ask(false)}>
      <div class="skip-reasons">
        <p>${t("cart.other.ask")}</p>
        <${Button} go=${() => ask(false)} class="button-main">${t("cart.other.no")}<//>
        <${Button} go=${() => take(true)}>${t("cart.other.yes")}<//>
      </div>
    <//>`}
  <//>`;
}

/** @param {{ file: CartFile, chosen: boolean, go: () => void }} props */
function CartChoice({ file, chosen, go }) {
  const mark = MARKS[file.patient];
  // The cart's own clock, as its paper has it; else when the file came. The day where it is not today.
  const time = file.taken ? file.taken.slice(11, 16) : clock(file.arrived_ms);
  const at = file.taken ? Date.parse(file.taken.slice(0, 19)) : file.arrived_ms;
  const day = new Date(at).toDateString() === new Date(boxNow()).toDateString() ? "" : date(at);
  return html`<${Choice} role="radio" icon="med/heart_cardiogram" chosen=${chosen} go=${go}
    title=${html`<bdi dir="ltr">${time}</bdi>${day && html`<br /><bdi>${day}</bdi>`}`}>
    <span>${t("cart.leads", { n: file.leads.length })} · <bdi dir="ltr">${Math.round(file.seconds)} s</bdi></span>
    ${mark && html`<${Chip} kind=${mark.kind} icon=${mark.icon}>${t(`cart.patient.${file.patient}`)}<//>`}
  <//>`;
}
