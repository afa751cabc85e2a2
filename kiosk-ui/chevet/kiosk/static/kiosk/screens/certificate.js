/** The certificate: one page, A4 or A5, in the language of who reads it. It says what it is not as large as what it is. */

import { date, t } from "/shared/i18n.js";
import { Icon } from "/shared/icon.js";
import { html, useState } from "/shared/vendor/htm-preact/standalone.module.js";
import { Button, Chip, Main, Page } from "/kiosk/parts.js";
import { go } from "/kiosk/route.js";
import { useKiosk } from "/kiosk/store.js";
import { PrintDialog } from "/kiosk/screens/paper.js";

/** @param {{ course: import("/shared/types.js").Course }} props */
export function CertificatePage({ course }) {
  const { worker, status, language } = useKiosk();
  const [paper, choosePaper] = useState(false);
  const made = course.certificate;
  if (!made) {
    return html`<${Page} title=${t("training.certificate")} icon="badge-check" back=${() => go("training")} backLabel=${t("training.all")}
      main=${html`<${Main} go=${() => go("training")} icon="arrow-right">${t("training.all")}<//>`}><p class="soft">${t("training.certificate.why")}</p><//>`;
  }
  return html`<${Page} title=${t("training.certificate")} icon="badge-check" class="certificate-page" back=${() => go("training")} backLabel=${t("training.all")}
    extra=${html`<${Button} go=${() => go("start")} icon="house" class="button-quiet">${t("case.home")}<//>`}
    main=${html`<${Main} go=${() => choosePaper(true)} icon="printer">${t("answer.print")}<//>`}>
    <article class="certificate">
      <header><img src="/shared/mark.svg" alt="" width="56" height="56" /><h2>${t("training.certificate.title")}</h2></header>
      <p>${t("training.certificate.name")}</p>
      <p class="certificate-name"><bdi>${worker?.name}</bdi></p>
      <p>${t("training.certificate.did", { n: course.lessons.length, points: made.points })}</p>
      <ul class="certificate-lessons">${course.lessons.map((lesson) => html`<li key=${lesson.code}><${Chip}><bdi dir="ltr">${lesson.best}</bdi><//> ${t(`training.lesson.${lesson.code}`)}</li>`)}</ul>
      <footer><span>${t("training.certificate.place", { site: status?.site.name ?? "", when: date(made.at_ms, { dateStyle: "long" }) })}</span>
        <span class="certificate-sign">${t("training.certificate.sign")}</span></footer>
      <p class="certificate-not"><${Icon} name="triangle-alert" size="24px" /><span>${t("training.certificate.not")}</span></p>
    </article>
    ${paper && html`<${PrintDialog} first=${language} close=${() => choosePaper(false)} />`}
  <//>`;
}
