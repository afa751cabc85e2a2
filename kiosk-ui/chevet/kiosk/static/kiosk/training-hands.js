/** In a lesson in which something goes wrong: what the trainee's hands do at the simulated instrument, which has no cable to pull. */

import { post } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { attempt } from "/kiosk/attempt.js";
import { Button, Choice, Dialog, Hint } from "/kiosk/parts.js";
import { now, set } from "/kiosk/training.js";

const ICONS = /** @type {Record<string, string>} */ ({
  warm: "hand-heart", put_back: "hand", swap_back: "refresh-cw", plug: "plug", hold_still: "pause", other_ear: "med/ear",
});

/** @param {{ acts: string[] }} props what the box lets the hands do; none in most lessons */
export function HandsButton({ acts }) {
  const [open, show] = useState(false);
  if (!acts.length) return null;
  return html`<button class="training-button" onClick=${() => show(true)}><${Icon} name="hand" size="20px" />${t("training.hands")}</button>
    ${open && html`<${HandsDialog} acts=${acts} close=${() => show(false)} />`}`;
}

/** @param {{ acts: string[], close: () => void }} props */
function HandsDialog({ acts, close }) {
  const [done, tell] = useState(/** @type {{ act: string, mended: boolean } | null} */ (null));
  const act = (/** @type {string} */ one) => attempt(async () => {
    const { mended, attempt: open } = await post("/api/training/acts", { act: one });
    const course = now().course;
    if (course) set({ course: { ...course, open } });
    tell({ act: one, mended });
  });
  return html`<${Dialog} title=${t("training.hands.title")} close=${close} class="training-dialog hands">
    ${!done?.mended && html`<div class="hands-acts">${acts.map((one) => html`<${Choice} icon=${ICONS[one]} title=${t(`training.act.${one}`)} chosen=${done?.act === one} go=${() => act(one)} key=${one} />`)}</div>`}
    ${done && (done.mended
      ? html`<${Hint} kind="ok" title=${t("training.hands.mended")}>${t("training.hands.mended.help")}<//>`
      : html`<${Hint} kind="attention" title=${t("training.hands.nothing")}>${t("training.hands.nothing.help")}<//>`)}
    ${done?.mended && html`<div class="dialog-foot"><${Button} go=${close} icon="arrow-right" class="button-main">${t("training.goon")}<//></div>`}
  <//>`;
}
