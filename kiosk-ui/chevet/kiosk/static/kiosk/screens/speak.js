/** The worker's own words to the specialist, said aloud: no keyboard, no spelling. */

import { post } from "/shared/api.js";
import { t } from "/shared/i18n.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { VoiceField } from "/shared/voice-note.js";
import { readCases } from "/kiosk/actions.js";
import { attempt } from "/kiosk/attempt.js";
import { Button, Hint } from "/kiosk/parts.js";

/** @typedef {import("/shared/types.js").SpokenDraft} SpokenDraft */

/** @param {{ id: string }} props of the case */
export function Speak({ id }) {
  const [voice, setVoice] = useState(/** @type {SpokenDraft | null} */ (null));
  const [sent, setSent] = useState(false);
  const change = (/** @type {SpokenDraft | null} */ next) => {
    setVoice(next);
    setSent(false);
  };
  const send = () =>
    attempt(async () => {
      if (!voice) return;
      await post(`/api/cases/${id}/notes`, { voice: voice.text });
      setVoice(null);
      setSent(true);
      await readCases();
    });
  return html`<section class="speak">
    ${sent && html`<${Hint} kind="ok" title=${t("speak.sent")}><//>`}
    <div class="speak-row"><${VoiceField} path=${`/api/cases/${id}/voice`} voice=${voice} change=${change} label=${t("speak.title")} begin=${t("speak.title")} />
    ${voice && html`<${Button} go=${send} icon="send" class="button-main">${t("speak.send")}<//>`}</div>
  </section>`;
}
