/** What this software is and is not. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { Dialog } from "/desk/dialog.js";
import { useDesk } from "/desk/store.js";

export function About() {
  const { status } = useDesk();
  return html`<${Dialog} title=${t("about.title")}>
    <p class="note note-attention"><${Icon} name="triangle-alert" /><span>${t("about.statement")}</span></p>
    <p>${t("about.drafts")}</p>
    <dl class="facts">
      <div><dt>${t("about.programme")}</dt><dd>${status?.programme}</dd></div>
      <div><dt>${t("about.version")}</dt><dd><bdi dir="ltr">${status?.version}</bdi></dd></div>
      <div><dt>${t("about.licence")}</dt><dd><bdi dir="ltr">Apache-2.0</bdi></dd></div>
    </dl>
  <//>`;
}
