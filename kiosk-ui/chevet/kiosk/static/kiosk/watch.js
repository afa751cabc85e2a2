/**
 * The first thing of the page, a script alone: a browser loads no module twice, so a file that did not come (a box that starts,
 * a board that is short of everything) would leave the screen empty for ever. Then the page is opened again: once the box answers,
 * for a page that cannot be had is the browser's own error, and after twice the wait each time, for a slow board needs its time.
 */

const FIRST_MS = 20_000, LONGEST_MS = 320_000;
const WAIT = "chevet.empty_wait_ms"; // outlives the reload, and no more

function look() {
  const wait = Number(sessionStorage.getItem(WAIT)) || FIRST_MS;
  setTimeout(async () => {
    if (document.getElementById("app")?.childElementCount) sessionStorage.removeItem(WAIT);
    else if (await fetch("/", { cache: "no-store" }).then((answer) => answer.ok).catch(() => false)) {
      sessionStorage.setItem(WAIT, String(Math.min(2 * wait, LONGEST_MS)));
      return location.reload();
    }
    look();
  }, wait);
}

window.addEventListener("load", look);
