/** Photographs of the skin: choose the place on the body, see all that was taken there, an earlier visit below. */

import { t } from "/shared/i18n.js";
import { viewsOf } from "/shared/instruments/skin-map.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Earlier } from "/desk/earlier.js";
import { Look } from "/desk/ear-one.js";
import { Flip, Meanwhile, NotDone } from "/desk/fetched.js";
import { Origin, RecordingHead } from "/desk/recording-head.js";
import { bestLayer, word } from "/desk/say.js";

/** @typedef {import("/desk/types.js").DeskCase} DeskCase */
/** @typedef {import("/desk/types.js").DeskRecording} DeskRecording */
/** @typedef {import("/desk/types.js").EarlierVisit} EarlierVisit */
/** @typedef {import("/desk/types.js").Drawing} Drawing */

const VIEWS = ["front", "back"];
const ABSENT = { state: "absent", value: null, code: "", again: () => undefined };

/** @param {{recordings: DeskRecording[]}} visit */
const photosOf = (visit) => visit.recordings.filter((recording) => recording.step === "photo");

/** @param {{ one: DeskCase }} props */
export function PhotoPane({ one }) {
  const photos = photosOf(one);
  const [chosen, setChosen] = useState("");
  const [earlier, setEarlier] = useState(false);
  if (!photos.length) return html`<${NotDone} icon="camera" what=${t("pane.photos")} />`;
  const sites = [...new Set(photos.map((photo) => photo.site))];
  const site = sites.includes(chosen) ? chosen : sites[0];
  const at = (/** @type {boolean} */ usable) => photos.filter((photo) => photo.quality.usable === usable).map((photo) => photo.site).join(" ");
  const views = VIEWS.filter((view) => sites.some((place) => viewsOf(place).includes(view)));
  const there = (/** @type {{recordings: DeskRecording[]}} */ visit) => photosOf(visit).filter((photo) => photo.site === site);
  return html`<div class="sounds photos">
    <div class="sounds-where"><div class="skin-maps">${views.map((view) => html`<skin-map key=${view} view=${view} label=${t("photos.where")} done=${at(true)} poor=${at(false)} active=${site}></skin-map>`)}</div>
      <ul class="points">${sites.map((place) => html`<li key=${place}><button type="button" class="point" aria-pressed=${place === site} onClick=${() => setChosen(place)}>${word("site", place)}<b>${photos.filter((photo) => photo.site === place).length}</b></button></li>`)}</ul></div>
    <div class="sounds-what"><${Pictures} visit=${one} photos=${there(one)} drawings=${one.drawings ?? []} key=${site} />
      <div class="under"><${Flip} on=${earlier} icon="rotate-ccw" label=${t("earlier.ears")} flip=${() => setEarlier(!earlier)} /></div>
      ${earlier ? html`<${Earlier} one=${one} has=${(/** @type {EarlierVisit} */ visit) => there(visit).length > 0} none=${t("photos.no_earlier")}>${(/** @type {EarlierVisit} */ visit) => html`<${Pictures} visit=${visit} photos=${there(visit)} drawings=${null} key=${visit.id} />`}<//>` : ""}</div>
  </div>`;
}

/** Several of one place stand beside each other, the newest last. @param {{ visit: DeskCase | EarlierVisit, photos: DeskRecording[], drawings: Drawing[] | null }} props */
function Pictures({ visit, photos, drawings }) {
  return html`<div class=${photos.length > 1 ? "photos-many" : "photos-one"}>${photos.map((photo) => html`<div class="ear" key=${photo.id}>
    ${bestLayer(photo) ? html`<${Look} one=${visit} recording=${photo} drawings=${drawings} />` : html`<${Meanwhile} fetched=${ABSENT} recording=${photo} />`}
    <${RecordingHead} recording=${photo} /><${Origin} recording=${photo} /></div>`)}</div>`;
}
