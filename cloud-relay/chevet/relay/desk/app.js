/** The desk's frame: bar, list, table, answer; which of them stand side by side is for the style sheet. */

import { t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html } from "/shared/vendor/htm-preact/standalone.module.js";
import { About } from "/desk/about.js";
import { Account } from "/desk/account.js";
import { AnswerPanel } from "/desk/answer.js";
import { Bar } from "/desk/bar.js";
import { Export, Withdraw } from "/desk/case-tools.js";
import { CaseTable } from "/desk/case.js";
import { FreshVersion } from "/desk/fresh-version.js";
import { Duty } from "/desk/duty.js";
import { HandOver, Snooze } from "/desk/give-away.js";
import { Glass } from "/desk/glass.js";
import { Inbox, InboxSummary } from "/desk/inbox.js";
import { KeepDialog } from "/desk/keep.js";
import { useKept } from "/desk/kept-state.js";
import { Keys } from "/desk/keys.js";
import { Library } from "/desk/library.js";
import { AwayRibbon, Door, LeaveDialog, UnlockDialog } from "/desk/offline.js";
import { Programme } from "/desk/programme.js";
import { Refused } from "/desk/refused.js";
import { Report } from "/desk/report.js";
import { roomsOf } from "/desk/rooms.js";
import { ScreenScale } from "/desk/scale.js";
import { SignDialog } from "/desk/sign.js";
import { SignIn } from "/desk/sign-in.js";
import { set, useDesk } from "/desk/store.js";
import { OpenTalk } from "/desk/talk-people.js";
import { Talks } from "/desk/talks.js";
import { Teach } from "/desk/teach.js";

/** Rooms that fill the whole screen. @type {Record<string, () => unknown>} */
const PAGES = { refused: Refused, duty: Duty, report: Report, glass: Glass, talks: Talks, library: Library, programme: Programme };

export function App() {
  const desk = useDesk();
  const { door } = useKept();
  if (!desk.ready) return door ? html`<${Door} />` : html`<${Waking} />`;
  const training = desk.route.page === "case" && desk.open ? desk.open.simulated : Boolean(desk.status?.label);
  return html`
    ${training ? html`<div class="training" role="note"><span><${Icon} name="flask-conical" />${t("training")}</span></div>` : ""}
    <div class=${`desk${training ? " is-training" : ""}`}>${desk.user ? html`<${Rooms} />` : html`<${SignIn} />`}</div>
    <${Dialogs} />`;
}

/** The relay has not answered yet. */
function Waking() {
  return html`<main class="waking"><img src="/shared/mark.svg" alt="Chevet" width="64" height="64" /><p class="soft">${t("waking")}</p></main>`;
}

function Rooms() {
  const { route, wide, trouble, user } = useDesk();
  const has = roomsOf(user);
  return html`
    <${Bar} />
    <${FreshVersion} />
    <${AwayRibbon} />
    ${trouble ? html`<p class="ribbon ribbon-bad" role="alert"><${Icon} name="circle-alert" />${trouble}
      <button type="button" class="ribbon-close" aria-label=${t("close")} onClick=${() => set({ trouble: "" })}><${Icon} name="x" /></button></p>` : ""}
    <div class=${`rooms page-${route.page}${wide ? " is-wide" : ""}${user?.role === "coordinator" ? " is-overseen" : ""}${has.inbox ? "" : " is-guest"}`}>
      ${route.page in PAGES ? html`<${PAGES[route.page]} />` : html`${has.inbox ? html`<${Inbox} />` : ""}${route.page === "case" ? html`<${CaseTable} />${user?.role === "specialist" ? html`<${AnswerPanel} />` : ""}` : html`<${InboxSummary} />`}`}
    </div>`;
}

function Dialogs() {
  const { dialog } = useDesk();
  if (dialog === "about") return html`<${About} />`;
  if (dialog === "account") return html`<${Account} />`;
  if (dialog === "keys") return html`<${Keys} />`;
  if (dialog === "screen") return html`<${ScreenScale} />`;
  if (dialog === "hand-over") return html`<${HandOver} />`;
  if (dialog === "snooze") return html`<${Snooze} />`;
  if (dialog === "export") return html`<${Export} />`;
  if (dialog === "withdraw") return html`<${Withdraw} />`;
  if (dialog === "teach") return html`<${Teach} />`;
  if (dialog === "talk") return html`<${OpenTalk} />`;
  if (dialog === "keep") return html`<${KeepDialog} />`;
  if (dialog === "unlock") return html`<${UnlockDialog} />`;
  if (dialog === "leave") return html`<${LeaveDialog} />`;
  if (dialog === "sign") return html`<${SignDialog} />`;
  return null;
}
