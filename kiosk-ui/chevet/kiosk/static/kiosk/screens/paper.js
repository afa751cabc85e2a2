/** The answer on paper, in the patient's language: the page turns to it, prints, and turns back. */

import { LANGUAGES, setLanguage, t } from "/shared/i18n.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { ROOMS } from "/kiosk/actions.js";
import { Button, Dialog } from "/kiosk/parts.js";
import { now, set } from "/kiosk/store.js";

const PATIENCE_MS = 5000;

/** Turn the page without keeping the choice. @param {string} language */
async function turnTo(language) {
  await setLanguage(language, ROOMS);
  set({ language });
  await drawn();
}

/** The new words stand on the screen, and what a screen reads from the box has come. */
async function drawn() {
  const end = performance.now() + PATIENCE_MS;
  do {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  } while (document.querySelector(".page.waiting") && performance.now() < end);
}

/** @param {string} language */
export async function printIn(language) {
  const before = now().language;
  if (language !== before) await turnTo(language);
  await document.fonts.ready;
  print();
  if (language !== before) await turnTo(before);
}

/** @param {{ first: string, close: () => void }} props `first`: the language of the visit, offered first */
export function PrintDialog({ first, close }) {
  const languages = Object.entries(LANGUAGES).sort(([a], [b]) => Number(b === first) - Number(a === first));
  const choose = (/** @type {string} */ language) => {
    close();
    printIn(language);
  };
  return html`<${Dialog} title=${t("paper.title")} close=${close}>
    <div class="skip-reasons">${languages.map(([code, name], n) => html`<${Button} go=${() => choose(code)} icon="printer" class=${n ? "" : "button-main"}><span lang=${code}>${name}</span><//>`)}</div>
  <//>`;
}
