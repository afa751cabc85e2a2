/**
 * The first thing of the page, a script alone: a browser loads no module twice, so a file that did not come (a box that starts,
 * a board that is short of everything) would leave the screen empty for ever. Then the page is opened again.
 */

const EMPTY_TOO_LONG_MS = 20_000;

setInterval(() => {
  if (!document.getElementById("app")?.childElementCount) location.reload();
}, EMPTY_TOO_LONG_MS);
