/** Keys that mean something on the pane that is open; the pane says which while it is there. */

import { useEffect } from "/shared/vendor/htm-preact/standalone.module.js";

/** @typedef {Record<string, () => void>} PaneKeys */

/** @type {Set<{current: PaneKeys}>} the pane on the table, and none once it left */
const open = new Set();

/** @param {PaneKeys} keys lower-case letters and what they do */
export function usePaneKeys(keys) {
  useEffect(() => {
    const mine = { current: keys };
    open.add(mine);
    return () => {
      open.delete(mine);
    };
  });
}

/** @param {string} key @returns {boolean} whether a pane took it */
export function paneKey(key) {
  const found = [...open].map(({ current }) => current[key]).find(Boolean);
  found?.();
  return found !== undefined;
}
