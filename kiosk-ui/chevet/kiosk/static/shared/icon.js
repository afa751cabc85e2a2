/** Icons by name: Lucide for the interface, Health Icons (`med/...`) for medicine. */

import { h } from "/shared/vendor/htm-preact/standalone.module.js";

/** Icons that point along the reading direction and so turn round in right-to-left pages. */
const DIRECTIONAL = new Set(["chevron-left", "log-in", "chevron-right", "arrow-left", "arrow-right", "send", "skip-forward", "log-out"]);

/**
 * @param {{ name: string, size?: string, label?: string }} props name of a file in /shared/icons without ".svg";
 *   `label` only where no word stands beside it
 */
export function Icon({ name, size, label }) {
  const style = { "--icon": `url(/shared/icons/${name}.svg)`, ...(size ? { "--icon-size": size } : {}) };
  const spoken = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  return h("span", { class: `icon${DIRECTIONAL.has(name) ? " icon-directional" : ""}`, style, ...spoken });
}
