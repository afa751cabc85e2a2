/** How far a discussion has come. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";

const LOOKS = /** @type {Record<string, [string, string]>} */ ({
  planned: ["chip-info", "calendar"], running: ["chip-ok", "users"], lapsed: ["chip-attention", "clock"], closed: ["", "circle-check"],
});

/** @param {{ it: Pick<import("/desk/types.js").BareDiscussion, "state"> }} props the state three ways: word, shape, colour */
export function StateChip({ it }) {
  const [look, icon] = LOOKS[it.state] ?? ["", "circle"];
  return html`<span class=${`chip ${look}`}><${Icon} name=${icon} />${t(`talk.state_${it.state}`)}</span>`;
}
