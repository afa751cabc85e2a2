/** Which screen: the part of the address after "#/". No patient data ever stands there. */

import { useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";

export function route() {
  return location.hash.replace(/^#\//, "").split("/").filter(Boolean);
}

/** @param {string} path such as "visit/ecg" */
export function go(path) {
  location.hash = `#/${path}`;
}

/** @returns {string[]} parts of the address, kept up to date */
export function useRoute() {
  const [parts, show] = useState(route);
  useEffect(() => {
    const changed = () => show(route());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return parts;
}
