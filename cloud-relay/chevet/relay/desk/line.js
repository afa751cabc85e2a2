/** The desk's end of the live line: the relay says that something changed, the desk reads it again. */

import { Live } from "/shared/live.js";
import { now, set } from "/desk/store.js";

/** Changes of the inbox come in bursts while chunks arrive; one reading for all of them is enough. */
const SETTLE_MS = 400;

/** @type {{inbox: () => Promise<void>, case: (id: string) => Promise<void>}} */
const readers = { inbox: async () => undefined, case: async () => undefined };
/** @type {Map<string, number>} */
const waiting = new Map();

const live = new Live();
live.states.add((connected) => {
  // Also when it closes: the relay shuts the line of a session that ended, and only a call tells which it was.
  if (now().inboxAt) again();
  set({ connected });
});
live.texts.add((message) => {
  const told = /** @type {{type: string, id?: string}} */ (message);
  if (told.type === "inbox") soon("inbox", readers.inbox);
  if (told.type !== "case" || !told.id) return;
  soon("inbox", readers.inbox);
  const id = told.id;
  if (now().route.id === id) soon(id, () => readers.case(id));
});

/** What to read when something changed. @param {typeof readers} how */
export function onChange(how) {
  Object.assign(readers, how);
}

/** The line was down: anything may have changed meanwhile. */
function again() {
  soon("inbox", readers.inbox);
  const { id, page } = now().route;
  if (page === "case" && id) soon(id, () => readers.case(id));
}

/** @param {string} key @param {() => Promise<void>} read */
function soon(key, read) {
  if (waiting.has(key)) return;
  const start = () => {
    waiting.delete(key);
    void read();
  };
  waiting.set(key, window.setTimeout(start, SETTLE_MS));
}

export function connect() {
  live.open();
}

export function disconnect() {
  live.close();
}
