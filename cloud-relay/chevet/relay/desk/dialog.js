/** A modal dialog on the browser's own `<dialog>`: it keeps the focus in and gives it back. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useRef } from "/shared/vendor/htm-preact/standalone.module.js";
import { set } from "/desk/store.js";

/** @param {{ title: string, look?: string, closed?: () => void, children?: any }} props `closed` where a page keeps its dialog to itself */
export function Dialog({ title, look, closed, children }) {
  const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => ref.current?.showModal(), []);
  return html`<dialog ref=${ref} class=${`dialog ${look ?? ""}`} aria-labelledby="dialog-title" onClose=${() => (closed ? closed() : set({ dialog: "" }))}>
    <header class="dialog-head"><h2 id="dialog-title">${title}</h2>
      <button type="button" class="dialog-close" aria-label=${t("close")} onClick=${() => ref.current?.close()}><${Icon} name="x" /></button></header>
    ${children}
  </dialog>`;
}
