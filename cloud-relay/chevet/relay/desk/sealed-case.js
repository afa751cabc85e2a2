/** One sealed case, opened and shown in this browser, part after part as they are opened. */

import { clock, t } from "/shared/i18n.js";
import "/shared/instruments/body-map.js";
import { html, useEffect, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Value, word } from "/desk/say.js";
import { openAnswers, openParts } from "/desk/sealed-open.js";
import { RecordingView } from "/desk/sealed-recording.js";
import { SealedTalk } from "/desk/sealed-talk.js";
import { Answer, Write } from "/desk/sealed-write.js";
import { MessageCard, OpinionCard } from "/desk/thread.js";

/** @typedef {import("/desk/sealed-open.js").Opened} Opened */
/** @typedef {import("/desk/sealed-open.js").Said} Said */
/** @typedef {import("/desk/sealed.js").Part} Part */

/** @param {{ opened: Opened, keys: import("/desk/sealed-keys.js").OwnKeys, relayKey: Uint8Array, certificate: string, now: () => number, again: () => void }} props */
export function CaseView({ opened, keys, relayKey, certificate, now, again }) {
  const { study, said, one } = opened;
  const { parts, looked, failed } = useParts(opened);
  const whole = one.objects.filter((/** @type {any} */ part) => part.whole && part.oid).length;
  const coming = one.objects.filter((/** @type {any} */ part) => !part.whole).length;
  const simulated = Boolean(said.label || study.label) || study.recordings.some((each) => each.simulated);
  const writing = { opened, keys, certificate, now, again };
  return html`
    <${Head} opened=${opened} simulated=${simulated} />
    <section class="sealed-card"><h2>${t("sealed.recordings")}</h2>
      ${looked < whole ? html`<label class="soft">${t("sealed.opening")}<progress max=${whole} value=${looked}></progress></label>` : ""}
      ${failed ? html`<p role="alert">${t("sealed.failed", { n: failed })}</p>` : ""}
      ${study.recordings.map((each) => html`<${RecordingView} one=${each} parts=${parts.filter(({ recording }) => recording === each.id)} simulated=${simulated} waiting=${looked < whole || coming > 0} key=${each.id} />`)}
      ${coming ? html`<p class="soft">${t("sealed.coming")}: ${coming}</p>` : ""}
      <p class="soft">${t("sealed.missing")}</p></section>
    <${Conversation} opened=${opened} opener=${keys.opener} relayKey=${relayKey} />
    <${SealedTalk} id=${one.id} mine=${one.claimed_by?.id === one.author?.id} />
    <${Answer} ...${writing} /><${Write} ...${writing} />`;
}

/** The parts in their order, each opened once; one that failed is tried again with the next that comes. @param {Opened} opened @returns {{parts: Part[], looked: number, failed: number}} */
function useParts(opened) {
  const [found, setFound] = useState(/** @type {Map<number, Part | null>} */ (new Map()));
  useEffect(() => {
    let wanted = true;
    void openParts(opened, (oid) => Boolean(found.get(oid)), (oid, part) => {
      if (wanted) setFound((now) => new Map(now).set(oid, part));
      return wanted;
    });
    return () => {
      wanted = false;
    };
  }, [opened.one.objects.filter((/** @type {any} */ part) => part.whole).length]); // an answer changes nothing here
  const parts = [...found].sort(([a], [b]) => a - b).flatMap(([, part]) => (part ? [part] : []));
  return { parts, looked: found.size, failed: found.size - parts.length };
}

/** @param {{ opened: Opened, simulated: boolean }} props */
function Head({ opened: { study, one }, simulated }) {
  const { patient } = study;
  return html`<section class="sealed-card">
    ${simulated ? html`<p><span class="htest">HTEST</span> ${t("training")}</p>` : ""}
    <div class="sealed-row"><b><bdi>${patient.name}</bdi></b><span>${patient.sex ? t(`sex.${patient.sex}`) : ""} ${patient.birthYear ?? ""}</span>
      <bdi dir="ltr">${patient.number}</bdi><span class="soft">${one.site.name}</span><span class="soft">${clock(study.closedMs)}</span><b>${word("urgency", study.urgency)}</b></div>
    <h1>${word("visit_reason", study.reason)}</h1><p class="sealed-question"><bdi>${study.question}</bdi></p>
    <h2>${t("sealed.vitals")}</h2>
    <div class="sealed-row">${study.vitals.map((vital) => html`<span class="chip" key=${vital.kind}>${word("vital", vital.kind)} <${Value} value=${vital.value} unit=${vital.unit} /></span>`)}</div>
  </section>`;
}

/** What was said before, oldest first. @param {{ opened: Opened, opener: import("/desk/sealed.js").Opener, relayKey: Uint8Array }} props */
function Conversation({ opened, opener, relayKey }) {
  const [said, setSaid] = useState(/** @type {Said[]} */ ([]));
  useEffect(() => {
    let wanted = true;
    void openAnswers(opened, opener, relayKey).then((all) => wanted && setSaid(all));
    return () => {
      wanted = false;
    };
  }, [opened]);
  if (!said.length) return null;
  return html`<section class="sealed-card"><h2>${t("sealed.said")}</h2><ol class="thread">${said.map((each, n) => html`<li key=${n}>
    ${"opinion" in each ? html`<${OpinionCard} opinion=${each.opinion} />` : "message" in each ? html`<${MessageCard} message=${each.message} />` : html`<p class="soft">${t(each.closed === "not_a_recipient" ? "sealed.said_closed" : "sealed.error.damaged")}</p>`}</li>`)}</ol></section>`;
}
