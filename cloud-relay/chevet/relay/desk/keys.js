/** Keyboard shortcuts, and the page that lists them. They rest while somebody writes or a dialog is open. */

import { t } from "/shared/i18n.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { openCase } from "/desk/actions.js";
import { Dialog } from "/desk/dialog.js";
import { paneKey } from "/desk/pane-keys.js";
import { go } from "/desk/route.js";
import { now, set } from "/desk/store.js";

/** @typedef {import("/desk/types.js").Pane} Pane */

/** @type {Record<string, Pane>} */
const PANE_KEYS = { e: "ecg", s: "heart", o: "ears", d: "photos", v: "vitals", t: "thread" };

/** @type {[string, [string, string][]][]} what they belong to; key caps and what they do */
const LIST = [
  ["keys.of_cases", [["J  K", "keys.next"], ["E  S  O  D  V  T", "keys.panes"], ["A", "keys.answer"], ["F", "keys.fold"], ["I", "keys.inbox"], ["?", "keys.help"]]],
  ["keys.of_ecg", [["L", "keys.layout"], ["C", "keys.cabrera"], ["G", "keys.gain"], ["R", "keys.filter"], ["M", "keys.marks"], ["X", "keys.earlier"], ["P", "keys.print"], ["↵", "keys.caliper"], ["← → ↑ ↓", "keys.caliper_move"]]],
  ["keys.of_sound", [["N", "keys.next_point"], ["␣", "keys.play"], ["1  2  3", "keys.filters"], ["L  H", "keys.loop_half"], ["←  →", "keys.seek"]]],
  ["keys.of_picture", [["+  −  0", "keys.zoom"], ["B", "keys.bright"], ["← → ↑ ↓", "keys.pan"]]],
];
/** Whoever speaks to the screen may switch single letters off (WCAG 2.2, 2.1.4). */
const OFF = "chevet.keys-off";

export function Keys() {
  const [off, setOff] = useState(localStorage.getItem(OFF) !== null);
  const flip = () => {
    if (off) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "yes");
    setOff(!off);
  };
  return html`<${Dialog} title=${t("keys.title")} look="dialog-keys">
    <label class="keys-on"><input type="checkbox" checked=${!off} onChange=${flip} /> ${t("keys.on")}</label>
    <div class="keys-all">${LIST.map(([of, keys]) => html`<section key=${of}><h3>${t(of)}</h3>
      <dl class="keys">${keys.map(([caps, what]) => html`<div key=${what}><dt dir="ltr">${caps.split("  ").map((cap) => html`<kbd key=${cap}>${cap}</kbd>`)}</dt><dd>${t(what)}</dd></div>`)}</dl></section>`)}</div>
    <p class="soft small">${t("keys.focus")}</p>
  <//>`;
}

export function listenToKeys() {
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target) || !now().user || now().dialog) return;
    if (event.key !== "?" && localStorage.getItem(OFF) !== null) return;
    if (act(event.key.toLowerCase())) event.preventDefault();
  });
}

/** @param {EventTarget | null} target */
function isWriting(target) {
  return target instanceof HTMLElement && target.closest("input, textarea, select") !== null;
}

/** @param {string} key @returns {boolean} whether it meant something */
function act(key) {
  const { open } = now();
  if (key === "j" || key === "k") return step(key === "j" ? 1 : -1);
  if (key === "i") go("");
  else if (key === "?") set({ dialog: "keys" });
  else if (key === "f" && open) set({ wide: !now().wide });
  else if (key === "a" && open) {
    set({ side: "answer" });
    document.querySelector(".answer textarea, .answer .button-main")?.scrollIntoView({ block: "center" });
    /** @type {HTMLElement | null} */ (document.querySelector(".answer textarea, .answer .button-main"))?.focus();
  } else if (open && key in PANE_KEYS) openCase(open.id, PANE_KEYS[key]);
  else return paneKey(key);
  return true;
}

/** Open the next or the earlier case of the list. @param {1 | -1} by */
function step(by) {
  const { inbox, route } = now();
  if (!inbox?.length) return false;
  const at = inbox.findIndex((one) => one.id === route.id);
  const next = inbox[Math.min(inbox.length - 1, Math.max(0, at + by))];
  if (next) openCase(next.id);
  return true;
}
