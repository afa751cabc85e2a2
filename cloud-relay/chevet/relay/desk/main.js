/** Start of the desk: the language, who is signed in, then the screens. */

import { get } from "/shared/api.js";
import { html, render } from "/shared/vendor/htm-preact/standalone.module.js";
import "/shared/instruments/body-map.js";
import "/shared/instruments/ecg-paper.js";
import "/shared/instruments/picture-viewer.js";
import "/shared/instruments/skin-map.js";
import "/shared/instruments/sound-player.js";
import { chooseLanguage, endSession, enter, follow, leave, readCase, readInbox, readStatus } from "/desk/actions.js";
import { App } from "/desk/app.js";
import { keepShell } from "/desk/installed.js";
import { readKept } from "/desk/kept-cases.js";
import { meet } from "/desk/kept-contact.js";
import { keepDrafts } from "/desk/kept-drafts.js";
import { readOffline } from "/desk/kept-read.js";
import { keptNow, keptSet } from "/desk/kept-state.js";
import { listenToKeys } from "/desk/keys.js";
import { onChange } from "/desk/line.js";
import { shutWhenIdle } from "/desk/offline.js";
import { whenNoticeTouched } from "/desk/push-here.js";
import { go } from "/desk/route.js";
import { now, set } from "/desk/store.js";

const STATUS_EVERY_MS = 15_000;
const RETRY_MS = 1500;

async function begin() {
  await chooseLanguage(localStorage.getItem("chevet.language") ?? "fr");
  const root = document.getElementById("app");
  if (root) render(html`<${App} />`, root);
  onChange({ inbox: readInbox, case: readCase });
  listenToKeys();
  readOffline(() => void back());
  keepDrafts();
  shutWhenIdle();
  whenNoticeTouched(() => go(""));
  window.addEventListener("hashchange", () => void follow());
  await join();
  void keepShell(); // after the first screen: a thin line is for that
  setInterval(() => void readStatus(), STATUS_EVERY_MS);
}

/** Wait for the relay: a page may be open before it. */
async function join() {
  try {
    await leave();
    const { user, next } = await get("/api/session");
    set({ user, next: next ?? "" });
    await readStatus();
    if (user) await enter();
    else await Promise.all([follow(), meet()]);
    set({ ready: true });
    keptSet({ door: false });
  } catch {
    if ((await readKept().catch(() => [])).length) keptSet({ door: true });
    setTimeout(() => void join(), RETRY_MS);
  }
  if (!now().ready) set({ connected: false });
}

/** The relay answers again: who is signed in there may have changed. */
async function back() {
  const { user } = await get("/api/session");
  if (keptNow().offline) return;
  if (!user) endSession();
  else if (user.id !== now().user?.id) location.reload();
  else {
    await enter();
    const { open } = now();
    if (open) await readCase(open.id); // much may have happened to it
  }
}

void begin();
