/** Under the form: where its words lie. Over it: why the relay did not take a draft, and what can be done. */

import { clock, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { readCase } from "/desk/actions.js";
import { keepMine, throwAway } from "/desk/kept-drafts.js";
import { keptPut, useKept } from "/desk/kept-state.js";
import { draftOf, now, setDraft, useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */

const PLACES = { relay: "circle-check", device: "hard-drive", page: "circle-alert" };

/** @param {{ one: DeskCase }} props */
export function DraftState({ one }) {
  const { saved } = useKept();
  const { drafts } = useDesk();
  const said = saved[one.id];
  if (!said || !drafts[one.id]) return null;
  return html`<p class="draft-state with-icon soft small" role="status"><${Icon} name=${PLACES[said.where]} />${t(`draft_at.${said.where}`, { time: clock(said.at_ms) })}</p>`;
}

/** @param {{ one: DeskCase }} props */
export function Conflict({ one }) {
  const { conflicts } = useKept();
  const { user } = useDesk();
  const [copied, setCopied] = useState(false);
  const found = conflicts[one.id];
  if (!found) return null;
  const draft = draftOf(one.id);
  const mine = one.claimed_by?.id === user?.id;
  const other = found.code === "answered_meanwhile" ? one.opinions.at(-1)?.author.name : mine ? "" : one.claimed_by?.name;
  const name = other || t("conflict.somebody");
  const copy = () => navigator.clipboard.writeText([draft.impression, draft.advice].join("\n\n")).then(() => setCopied(true));
  const elsewhere = async () => {
    setDraft(one.id, null);
    keptPut("conflicts", one.id, null);
    await readCase(one.id);
  };
  const here = async () => {
    await readCase(one.id);
    if (now().open?.id === one.id) await keepMine(one.id);
  };
  return html`<section class="conflict note note-bad" role="alert" aria-label=${t("conflict.title")}><${Icon} name="triangle-alert" /><div>
    <p><b>${t("conflict.title")}</b> ${t(`conflict.${found.code}`, { name })}</p>
    <blockquote class="said-text"><p><bdi>${draft.impression}</bdi></p><p><bdi>${draft.advice}</bdi></p></blockquote>
    <div class="chips">
      ${mine && found.code !== "not_found" ? html`<button type="button" class="button" onClick=${here}>${found.code === "answered_meanwhile" ? t("conflict.amend") : t("conflict.mine")}</button>` : ""}
      ${found.code === "draft_changed" ? html`<button type="button" class="button" onClick=${elsewhere}>${t("conflict.theirs")}</button>` : ""}
      <button type="button" class="button button-quiet" onClick=${copy}>${copied ? t("conflict.copied") : t("conflict.copy")}</button>
      ${found.code === "draft_changed" ? "" : html`<button type="button" class="button button-quiet" onClick=${() => throwAway(one.id, false)}>${t("conflict.drop")}</button>`}
    </div></div></section>`;
}
