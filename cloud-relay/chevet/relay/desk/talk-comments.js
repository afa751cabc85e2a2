/** What is said in a discussion, with its versions; and what one is writing, kept while one writes. */

import { post, put, remove } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useEffect, useRef, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { moment } from "/desk/due.js";
import { set, useDesk } from "/desk/store.js";

/** @typedef {import("/desk/types.js").Discussion} Discussion */
/** @typedef {import("/desk/types.js").Comment} Comment */
/** @typedef {{ it: Discussion, here: string, again: () => Promise<void> }} Props */

const KEEP_AFTER_MS = 800;

/** @param {{sentence: string}} error */
export const trouble = (error) => set({ trouble: error.sentence });

/** @param {Props} props */
export function Comments({ it, here, again }) {
  if (it.sealed) return html`<p class="note"><${Icon} name="lock" /><span>${t("talk.sealed")}</span></p>`;
  if (!it.comments.length) return html`<p class="soft">${t("talk.nothing_said")}</p>`;
  return html`<ol class="talk-said">${it.comments.map((one) => html`<${Said} key=${one.id} one=${one} it=${it} here=${here} again=${again} />`)}</ol>`;
}

/** @param {Props & { one: Comment }} props */
function Said({ one, it, here, again }) {
  const { user } = useDesk();
  const [editing, setEditing] = useState(false);
  const mine = it.you.write && one.author.id === user?.id && one.text !== null;
  const back = () => remove(`${here}/comments/${one.id}`).then(again, trouble);
  return html`<li class=${`said${one.author.id === user?.id ? " said-mine" : ""}`}>
    <header><b>${one.author.name}</b><span class="soft small">${moment(one.at_ms)}</span></header>
    ${editing
      ? html`<${Amend} one=${one} here=${here} done=${() => { setEditing(false); void again(); }} />`
      : one.text === null ? html`<p class="soft"><i>${t("talk.taken_back")}</i></p>` : html`<p class="said-text"><bdi>${one.text}</bdi></p>`}
    ${one.versions.length > 1 ? html`<${Versions} one=${one} />` : ""}
    ${mine && !editing ? html`<p class="said-tools"><button type="button" class="link" onClick=${() => setEditing(true)}>${t("talk.change")}</button><button type="button" class="link" onClick=${back}>${t("talk.take_back")}</button></p>` : ""}
  </li>`;
}

/** Nothing is deleted: whoever reads may see what it was. @param {{ one: Comment }} props */
function Versions({ one }) {
  const earlier = one.versions.slice(0, -1);
  const last = one.versions[one.versions.length - 1];
  return html`<details class="origin"><summary>${t("talk.changed", { time: moment(last.at_ms) })}</summary>
    <ol class="talk-versions">${earlier.map((each) => html`<li key=${each.version}><span class="soft small">${moment(each.at_ms)}</span> <bdi>${each.text ?? t("talk.taken_back")}</bdi></li>`)}</ol></details>`;
}

/** @param {{ one: Comment, here: string, done: () => void }} props */
function Amend({ one, here, done }) {
  const [text, setText] = useState(one.text ?? "");
  const send = () => put(`${here}/comments/${one.id}`, { text }).then(done, trouble);
  return html`<div class="field"><textarea rows="3" dir="auto" maxlength="8000" aria-label=${t("talk.change")} value=${text} onInput=${(/** @type {any} */ e) => setText(e.target.value)}></textarea>
    <p class="said-tools"><button type="button" class="button button-main" disabled=${!text.trim()} onClick=${send}>${t("talk.change_keep")}</button><button type="button" class="button" onClick=${done}>${t("close")}</button></p></div>`;
}

/** @param {Props} props */
export function Writing({ it, here, again }) {
  const [text, setText] = useState(it.draft);
  const [kept, setKept] = useState(it.draft);
  const [sending, setSending] = useState(false);
  const latest = useRef(text);
  latest.current = text;
  const turn = useRef(Promise.resolve());
  /** One after the other: a draft that came behind its own comment would stand there again. @param {() => Promise<void>} work */
  const next = (work) => {
    turn.current = turn.current.then(work).catch(trouble);
  };
  const keep = () => next(async () => {
    const words = latest.current;
    await put(`${here}/draft`, { text: words });
    setKept(words);
  });
  useEffect(() => {
    if (text === kept || sending) return undefined;
    const timer = setTimeout(keep, KEEP_AFTER_MS);
    return () => clearTimeout(timer);
  }, [text, sending]);
  if (it.sealed) return null;
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    setSending(true);
    next(() => post(`${here}/comments`, { text }).then(() => { setText(""); setKept(""); return again(); }).finally(() => setSending(false)));
  };
  return html`<form class="field talk-write" onSubmit=${send}><label for=${`say-${it.id}`}>${t("talk.say")}</label>
    <textarea id=${`say-${it.id}`} rows="3" dir="auto" maxlength="8000" placeholder=${t("talk.say_hint")} readonly=${sending} value=${text} onInput=${(/** @type {any} */ e) => setText(e.target.value)} onBlur=${() => text !== kept && keep()}></textarea>
    <div class="talk-foot"><span class="soft small" role="status">${text && text === kept ? t("talk.draft_kept") : ""}</span>
      <button type="submit" class="button button-main" disabled=${sending || !text.trim()}><${Icon} name="send" />${t("talk.send")}</button></div></form>`;
}
