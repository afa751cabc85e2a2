/** Start of the desk: the language, who is signed in, then the screens. */

import { get } from "/shared/api.js";
import { html, render } from "/shared/vendor/htm-preact/standalone.module.js";
import "/shared/instruments/body-map.js";
import "/shared/instruments/ecg-paper.js";
import "/shared/instruments/picture-viewer.js";
import "/shared/instruments/sound-player.js";
import { chooseLanguage, enter, follow, readCase, readInbox, readStatus } from "/desk/actions.js";
import { App } from "/desk/app.js";
import { keepShell } from "/desk/installed.js";
import { listenToKeys } from "/desk/keys.js";
import { onChange } from "/desk/line.js";
import { now, set } from "/desk/store.js";

const STATUS_EVERY_MS = 15_000;
const RETRY_MS = 1500;

async function begin() {
  await chooseLanguage(localStorage.getItem("chevet.language") ?? "fr");
  const root = document.getElementById("app");
  if (root) render(html`<${App} />`, root);
  onChange({ inbox: readInbox, case: readCase });
  listenToKeys();
  window.addEventListener("hashchange", () => void follow());
  await join();
  void keepShell(); // after the first screen: a thin line is for that
  setInterval(() => void readStatus(), STATUS_EVERY_MS);
}

/** Wait for the relay: a page may be open before it. */
async function join() {
  try {
    const { user, next } = await get("/api/session");
    set({ user, next: next ?? "" });
    await readStatus();
    if (user) await enter();
    else await follow();
    set({ ready: true });
  } catch {
    setTimeout(() => void join(), RETRY_MS);
  }
  if (!now().ready) set({ connected: false });
}

void begin();
