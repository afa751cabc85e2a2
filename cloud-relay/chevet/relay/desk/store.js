/** What the desk knows now. One object, replaced on every change; screens read it through `useDesk`. */

import { stateOf } from "/shared/state.js";

/** @typedef {import("/desk/types.js").User} User */
/** @typedef {import("/desk/types.js").RelayStatus} RelayStatus */
/** @typedef {import("/desk/types.js").InboxCase} InboxCase */
/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {import("/desk/types.js").Delivery} Delivery */
/** @typedef {import("/desk/types.js").RefusedBundle} RefusedBundle */
/** @typedef {import("/desk/types.js").Draft} Draft */
/** @typedef {import("/desk/types.js").Route} Route */

/**
 * @typedef {object} Desk
 * @property {boolean} ready first answers have come
 * @property {string} language
 * @property {RelayStatus | null} status
 * @property {User | null} user
 * @property {"" | "code" | "enrol" | "password"} next what sign-in still lacks after the password
 * @property {boolean} ended a session ended by itself: say so at sign-in
 * @property {Route} route
 * @property {InboxCase[] | null} inbox null until it was read once
 * @property {string} inboxError code of the last failure, "" when the list is fresh
 * @property {number} waiting cases that wait in all, listed or not
 * @property {number} inboxAt when the list was read, ms of this page's clock
 * @property {DeskCase | null} open the case on the table
 * @property {string} openError code
 * @property {Delivery | null} delivery of the open case
 * @property {{of: string, visits: import("/desk/types.js").EarlierVisit[]} | null} earlier visits of the open case's patient
 * @property {RefusedBundle[] | null} refused
 * @property {string} refusedError code
 * @property {boolean} connected the live line is open
 * @property {string} trouble a sentence to show once
 * @property {Record<string, Draft>} drafts by case; in memory only, they hold patient data
 * @property {"" | "about" | "keys" | "screen" | "sign" | "account" | "hand-over" | "snooze" | "withdraw" | "export" | "keep" | "unlock" | "leave" | "talk" | "teach"} dialog
 * @property {import("/desk/types.js").AgendaTalk[] | null} talks discussions in one's agenda, null until read
 * @property {string} talksError code
 * @property {string} talkOf the case that a discussion is being opened for
 * @property {boolean} talkSealed it is sealed: no words about it
 * @property {number} talkTurn changes when one was opened here
 * @property {boolean} wide the list is folded away
 * @property {boolean} fresh a new version of the desk is in the browser and waits to be used
 * @property {"answer" | "message"} side what the right-hand panel shows
 * @property {{step: string, site: string, side: string} | null} retake what a tap on "ask again" chose
 */

/** @type {Desk} */
const FIRST = {
  ready: false, language: "fr", status: null, user: null, next: "", ended: false, route: { page: "inbox", id: "", pane: "" },
  inbox: null, inboxError: "", waiting: 0, inboxAt: 0, open: null, openError: "", delivery: null, earlier: null, refused: null, refusedError: "",
  talks: null, talksError: "", talkOf: "", talkSealed: false, talkTurn: 0, connected: false, trouble: "", drafts: {}, dialog: "", wide: false, fresh: false, side: "answer", retake: null,
};

export const { now, set, use: useDesk } = stateOf(FIRST);

/** @type {Draft} */
const BLANK = { impression: "", certainty: "", advice: "", urgency: "", transfer: null, follow_up_date: "", medicines: [], voice: null, keep_voice: false };

/** @param {string} id of a case @returns {Draft} */
export function draftOf(id) {
  return now().drafts[id] ?? BLANK;
}

/** @type {(id: string) => void} */
let drafted = () => undefined;

/** @param {(id: string) => void} told whenever somebody wrote on a draft or threw it away */
export function whenDrafted(told) {
  drafted = told;
}

/** @param {string} id of a case @param {Partial<Draft> | null} change null throws the draft away @param {boolean} [known] it was read, not written */
export function setDraft(id, change, known = false) {
  const { [id]: before = BLANK, ...others } = now().drafts;
  set({ drafts: change ? { ...others, [id]: { ...before, ...change } } : others });
  if (!known) drafted(id);
}
