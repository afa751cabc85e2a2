/** More contrast: because the system asks for it, or because the worker wants it (sun on the screen). */

const KEPT = "chevet.contrast";
const wanted = matchMedia("(prefers-contrast: more)");

/** What the kiosk keeps: "more", "usual", or "" to follow the system. */
const kept = () => localStorage.getItem(KEPT) ?? "";

/** @returns {boolean} whether it is shown with more contrast now */
export function moreContrast() {
  return kept() === "more" || (!kept() && wanted.matches);
}

/** @param {boolean} on */
export function setContrast(on) {
  localStorage.setItem(KEPT, on ? "more" : "usual");
  applyLook();
}

export function applyLook() {
  if (moreContrast()) document.documentElement.dataset.contrast = "more";
  else delete document.documentElement.dataset.contrast;
}

wanted.addEventListener("change", applyLook);
