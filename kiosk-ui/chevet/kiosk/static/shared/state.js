/** What a page knows, in one object: read it, change it, draw again whenever it changed. */

import { useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";

/**
 * @template T
 * @param {T} first
 */
export function stateOf(first) {
  let state = first;
  /** @type {Set<() => void>} */
  const listeners = new Set();

  function now() {
    return state;
  }

  /** @param {Partial<T>} change */
  function set(change) {
    state = { ...state, ...change };
    listeners.forEach((listen) => listen());
  }

  /** @returns {T} and draw the component again whenever it changes */
  function use() {
    const [, redraw] = useState(0);
    useEffect(() => {
      const listen = () => redraw((count) => count + 1);
      listeners.add(listen);
      return () => {
        listeners.delete(listen);
      };
    }, []);
    return state;
  }

  return { now, set, use };
}
