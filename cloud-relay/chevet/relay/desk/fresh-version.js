/** A ribbon: a new version of the desk waits; it is never put under a page that is in use. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { useFresh } from "/desk/installed.js";
import { useDesk } from "/desk/store.js";

export function FreshVersion() {
  const { fresh, drafts } = useDesk();
  const [others, setOthers] = useState(false);
  if (!fresh) return null;
  const writing = Object.keys(drafts).length > 0;
  const use = async () => setOthers(!(await useFresh()));
  return html`<p class="ribbon ribbon-info" role="status"><${Icon} name="refresh-cw" /><span>${t("fresh.there")} ${others ? t("fresh.others") : writing ? t("fresh.writing") : ""}</span>
    ${writing ? "" : html`<button type="button" class="button button-quiet" onClick=${use}>${t("fresh.use")}</button>`}</p>`;
}
