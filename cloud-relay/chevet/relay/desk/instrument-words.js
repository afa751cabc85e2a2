/** The shared instruments' texts in the reader's language. */

import { t } from "/shared/i18n.js";

/** @returns {import("/shared/instruments/ecg-paper.js").Words} */
export function ecgWords() {
  return {
    label: t("ecg.label"), not_to_scale: t("ecg.not_to_scale"), to_scale: t("ecg.to_scale"), preview: t("ecg.preview"),
    raw: t("ecg.raw"), view: t("ecg.view"), centred: t("ecg.centred"), gap: t("ecg.gap"),
    marks: t("ecg.marks_said"), alone: t("ecg.near"), calipers_off: t("ecg.calipers_off"),
  };
}

/** @returns {import("/shared/instruments/sound-player-face.js").Words} */
export function soundWords() {
  return {
    play: t("sound.play"), pause: t("sound.pause"), loop: t("sound.loop"), half: t("sound.half"), gain: t("sound.gain"), filter: t("sound.filter"),
    bell: t("sound.bell"), diaphragm: t("sound.diaphragm"), wide: t("sound.wide"), picture: t("sound.picture"),
    headphones: t("sound.headphones"), headphones_start: t("sound.headphones_start"), headphones_where: t("sound.headphones_where"),
    headphones_left: t("sound.headphones_left"), headphones_right: t("sound.headphones_right"), headphones_nowhere: t("sound.headphones_nowhere"),
    headphones_failed: t("sound.headphones_failed"), headphones_again: t("sound.headphones_again"), headphones_anyway: t("sound.headphones_anyway"),
    headphones_warning: t("sound.headphones_warning"), draft: t("sound.draft"), envelope: t("sound.envelope"), noise: t("sound.noise"),
    refused: t("sound.refused"),
  };
}

/** @returns {import("/shared/instruments/picture-viewer.js").Words} */
export function pictureWords() {
  return {
    left: t("ear.left"), right: t("ear.right"), photo: t("ear.photo"), zoom_in: t("ear.zoom_in"), zoom_out: t("ear.zoom_out"),
    brightness: t("ear.brightness"), reset: t("ear.reset"), missing: t("ear.missing"),
  };
}
