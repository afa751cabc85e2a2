/** Start of the kiosk: the language, who is signed in, then the screens. */

import { ApiError, get } from "/shared/api.js";
import { NotLoaded } from "/shared/i18n.js";
import { html, render } from "/shared/vendor/htm-preact/standalone.module.js";
import "/shared/instruments/live-wave.js";
import "/shared/instruments/body-map.js";
import "/shared/instruments/skin-map.js";
import "/shared/instruments/ring.js";
import "/shared/instruments/level-meter.js";
import "/shared/instruments/trend-line.js";
import { chooseLanguage, enter, readStatus } from "/kiosk/actions.js";
import { App } from "/kiosk/app.js";
import { applyLook } from "/kiosk/look.js";
import { warm } from "/kiosk/warm.js";
import { now, set } from "/kiosk/store.js";

const STATUS_EVERY_MS = 5000;
const RETRY_MS = 1000;

async function begin() {
  applyLook();
  await words();
  const root = document.getElementById("app");
  if (root) render(html`<${App} />`, root);
  await readStatus();
  await join();
  warm();
  setInterval(readStatus, STATUS_EVERY_MS);
}

/** The words of the screens; the box may be away just now, and a fault of the page itself is no reason to ask again. */
async function words() {
  const language = localStorage.getItem("chevet.language") ?? "fr";
  const asked = () => chooseLanguage(language).then(() => true).catch((problem) => {
    if (!(problem instanceof NotLoaded)) throw problem;
    return false;
  });
  while (!(await asked())) await new Promise((again) => setTimeout(again, RETRY_MS));
}

/** Wait for the box: a kiosk may be up before its agent. */
async function join() {
  try {
    const { worker } = await get("/api/session");
    set({ worker });
    if (worker) await enter();
    if (!now().status) await readStatus();
    set({ ready: true });
  } catch (problem) {
    if (problem instanceof ApiError && problem.code === "locked") set({ locked: true });
    setTimeout(join, RETRY_MS);
  }
}

begin();
