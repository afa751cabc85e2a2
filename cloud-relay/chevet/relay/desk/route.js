/** Where the reader is: `#/`, `#/case/{id}/{pane}`, `#/refused`, `#/duty`, `#/report`, `#/glass`, `#/talks`, `#/library/{id}`, `#/programme/{part}`. Ids are random; nothing about a patient is in an address. */

/** @typedef {import("/desk/types.js").Route} Route */
/** @typedef {import("/desk/types.js").Pane} Pane */

const PANES = ["ecg", "heart", "ears", "photos", "vitals", "thread", "talk", "live"];
const ROOMS = ["refused", "duty", "report", "glass", "talks", "library", "programme"];

/** @param {string} hash @returns {Route} */
export function parse(hash) {
  const [page = "", id = "", pane = ""] = hash.replace(/^#\/?/, "").split("/");
  if (page === "case" && id) return { page, id, pane: PANES.includes(pane) ? /** @type {Pane} */ (pane) : "" };
  if (ROOMS.includes(page)) return { page: /** @type {import("/desk/types.js").Route["page"]} */ (page), id: page === "library" || page === "programme" ? id : "", pane: "" };
  return { page: "inbox", id: "", pane: "" };
}

/** @param {string} path such as "case/{id}/ecg" */
export function go(path) {
  location.hash = `#/${path}`;
}
