/** What was asked and answered, as lines a specialist reads under the question. Coded answers travel beside it all the same. */

import { clock, t } from "/shared/i18n.js";
import { historyText } from "/kiosk/screens/history.js";
import { nihssOf, SHEETS } from "/kiosk/sheets.js";

/** @typedef {import("/shared/types.js").Visit} Visit */

/** @param {Visit} visit @returns {string} one line, "" where nothing was asked */
export function historyLine({ history }) {
  const { since, yes, no } = historyText(history);
  const denied = no.length ? `${t("history.denied")} ${no.join(", ")}` : "";
  return [since, yes.join(", "), denied].filter(Boolean).join(". ");
}

/** The question of a time-critical path with what its sheets say. @param {Visit} visit */
export function urgentQuestion(visit) {
  const [asked = ""] = visit.question.split("\n");
  return [asked, onsetLine(visit), nihssLine(visit), newbornLine(visit)].filter(Boolean).join("\n");
}

/** @param {Visit} visit */
function onsetLine({ history }) {
  if (history["onset.how"] === "unknown") return t("onset.unknown");
  if (!history["onset.at"]) return "";
  const woke = history["onset.how"] === "woke_up" ? ` (${t("onset.woke_up")})` : "";
  const about = history["onset.how"] === "about" ? "\u2248 " : "";
  return `${t("exam.onset")}: ${about}${clock(Number(history["onset.at"]))}${woke}`;
}

/** @param {Visit} visit */
function nihssLine({ history }) {
  const { total, answered, untested } = nihssOf(history);
  if (!answered) return "";
  const items = (SHEETS.nihss ?? []).map(({ item }) => [item, history[`nihss.${item}`]]).filter(([, given]) => given && given !== "0");
  const whole = answered < 15 || untested ? ` (${answered - untested}/15)` : "";
  return `NIHSS ${total}/42${whole}${items.length ? `: ${items.map(([item, given]) => `${item}=${given?.toUpperCase()}`).join(", ")}` : ""}`;
}

/** @param {Visit} visit */
function newbornLine({ history }) {
  const asked = (SHEETS.newborn ?? []).filter(({ item }) => history[`newborn.${item}`]);
  const yes = asked.filter(({ item }) => history[`newborn.${item}`] === "yes").map(({ item }) => t(`sheet.newborn.${item}`));
  const no = asked.filter(({ item }) => history[`newborn.${item}`] === "no").map(({ item }) => t(`sheet.newborn.${item}`));
  return [yes.join(", "), no.length ? `${t("history.denied")} ${no.join(", ")}` : ""].filter(Boolean).join(". ");
}
