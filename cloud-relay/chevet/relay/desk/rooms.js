/** What each role has of the desk; the relay holds everybody to it, whatever is shown here. */

/**
 * @typedef {object} Rooms
 * @property {boolean} inbox a list of cases
 * @property {boolean} refused the bundles that were refused
 * @property {boolean} live the live line: it tells of cases that come
 * @property {boolean} talks discussions and the library
 * @property {string} first where they begin
 */

/** @type {Rooms} */
const READER = { inbox: true, refused: true, live: true, talks: true, first: "#/" };

/** @type {Record<string, Rooms>} */
const OF = {
  specialist: READER,
  coordinator: READER,
  expert: { ...READER, inbox: false, refused: false, first: "#/talks" },
  auditor: { inbox: false, refused: true, live: false, talks: false, first: "#/glass" },
  "site-admin": { inbox: false, refused: false, live: false, talks: false, first: "#/programme" },
};

/** @param {{role: string} | null} user nobody yet, or a role that has no table: the relay decides @returns {Rooms} */
export const roomsOf = (user) => OF[user?.role ?? ""] ?? { ...READER, talks: false };
