/** Dead letters: what arrived and was refused, kept with its reason. */

import { clock, date, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { readRefused } from "/desk/actions.js";
import { Blank, Failure, word } from "/desk/say.js";
import { useDesk } from "/desk/store.js";

export function Refused() {
  const { refused, refusedError } = useDesk();
  if (refusedError && !refused) return html`<main class="page"><${Failure} code=${refusedError} again=${readRefused} /></main>`;
  if (!refused) return html`<main class="page" aria-busy="true"><p role="status">${t("loading")}</p></main>`;
  return html`<main class="page">
    <h1>${t("refused.title")}</h1>
    <p class="soft">${t("refused.what")}</p>
    ${refused.length
      ? html`<ul class="letters">${refused.map((one) => html`<li class="card letter" key=${`${one.id}${one.at_ms}`}>
          <span class="letter-icon"><${Icon} name="triangle-alert" /></span>
          <div><h2>${word("refusal", one.reason)}</h2><p>${word("refusal_remedy", one.reason)}</p>
            <p class="soft small">${t("refused.from", { site: one.site })} · ${date(one.at_ms)} ${clock(one.at_ms)} · <bdi dir="ltr" class="mono">${one.id}</bdi></p></div></li>`)}</ul>`
      : html`<${Blank} icon="shield-check" title=${t("refused.none")} text=${t("refused.none_more")} />`}
  </main>`;
}
