/** Reading without a line: what the relay would answer, from what is kept. The page asks here once the relay does not answer. */

import { whenAway } from "/shared/api.js";
import { useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { read, write } from "/desk/kept-base.js";
import { holder, isOpen, lockRow, open, openJson } from "/desk/kept-lock.js";
import { keptNow, keptSet, useKept } from "/desk/kept-state.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */

/** The same reader with the same case open is one reading. */
const ONE_READING_MS = 5 * 60_000;
/** @type {Map<string, number>} when each case was last noted */
const noted = new Map();

/** @param {string} path */
const caseOf = (path) => /^\/api\/cases\/([^/?]+)/.exec(path)?.[1] ?? "";

/** @param {string} path */
export function has(path) {
  return isOpen() && Boolean(keptNow().kept[caseOf(path)]?.paths.includes(path));
}

/** @param {string} path @returns {Promise<Response | null>} */
export async function kept(path) {
  if (!isOpen()) return null;
  if (path === "/api/session") return Response.json({ user: holder(), next: "" });
  if (path === "/api/status") return status();
  if (path === "/api/inbox") return inbox();
  if (!has(path)) return null;
  const id = caseOf(path);
  if (path === `/api/cases/${id}`) await note(id);
  return part(path);
}

/** @param {string} path */
async function part(path) {
  const at = `${caseOf(path)} ${path}`;
  /** @type {import("/desk/kept-base.js").Part | undefined} */
  const found = await read("parts", at);
  return found ? new Response(await open(at, found), { headers: { "Content-Type": found.type } }) : null;
}

async function status() {
  const row = await lockRow();
  return row?.status ? Response.json(await openJson("status", row.status)) : null;
}

/** The list as far as it is here: what is kept, in the relay's order. */
async function inbox() {
  const ids = Object.keys(keptNow().kept);
  const found = await Promise.all(ids.map((id) => part(`/api/cases/${id}`).then((answer) => answer?.json())));
  /** @type {DeskCase[]} */
  const cases = found.filter(Boolean);
  const order = ["emergency", "urgent", "routine"];
  cases.sort((a, b) => order.indexOf(a.urgency) - order.indexOf(b.urgency) || a.received_ms - b.received_ms);
  return Response.json({ cases: cases.map((one) => ({ ...one, age_s: Math.max(0, (Date.now() - one.received_ms) / 1000) })), waiting: 0 });
}

/** An opening is noted here, and told to the audit when there is a line again. @param {string} id */
async function note(id) {
  const now = Date.now();
  if (now - (noted.get(id) ?? 0) < ONE_READING_MS) return;
  noted.set(id, now);
  await write("openings", { case: id, at_ms: now });
}

/** Answer from what is kept wherever the relay does not. @param {() => void} back what to do when it answers again */
export function readOffline(back) {
  whenAway({
    has,
    kept,
    told: (there) => {
      const before = keptNow().offline;
      if (before === there) keptSet({ offline: !there });
      if (there && before) back();
    },
  });
}

/** Where a picture lies: at the relay, or in this page once it was opened from what is kept. @param {string} path @returns {string | null} */
export function usePicture(path) {
  const { offline } = useKept();
  const [shown, setShown] = useState({ of: "", url: "" });
  const here = offline && has(path);
  useEffect(() => {
    if (!here) return undefined;
    let url = "";
    let wanted = true;
    void part(path).then(async (answer) => {
      if (!answer) return;
      url = URL.createObjectURL(await answer.blob());
      if (wanted) setShown({ of: path, url });
      else URL.revokeObjectURL(url);
    });
    return () => {
      wanted = false;
      if (url) URL.revokeObjectURL(url);
    };
  }, [here, path]);
  if (!here) return path;
  return shown.of === path ? shown.url : null;
}
