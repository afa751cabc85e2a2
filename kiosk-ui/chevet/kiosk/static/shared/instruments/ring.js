/**
 * `<count-ring>`: a ring that fills while something is recorded, with the seconds left in the middle.
 * Attributes: `elapsed` and `seconds`; `label` is read aloud.
 */

const SVG = "http://www.w3.org/2000/svg";
const RADIUS = 44;
const AROUND = 2 * Math.PI * RADIUS;

export class CountRing extends HTMLElement {
  static observedAttributes = ["elapsed", "seconds", "label"];

  constructor() {
    super();
    this.arc = document.createElementNS(SVG, "circle");
    this.count = document.createElement("bdi");
  }

  connectedCallback() {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 100 100");
    svg.setAttribute("aria-hidden", "true");
    const track = document.createElementNS(SVG, "circle");
    for (const [circle, name] of /** @type {[SVGCircleElement, string][]} */ ([[track, "ring-track"], [this.arc, "ring-arc"]])) {
      circle.setAttribute("cx", "50");
      circle.setAttribute("cy", "50");
      circle.setAttribute("r", String(RADIUS));
      circle.setAttribute("class", name);
      svg.append(circle);
    }
    this.arc.setAttribute("stroke-dasharray", String(AROUND));
    this.count.className = "ring-count";
    this.count.dir = "ltr";
    this.replaceChildren(svg, this.count);
    this.setAttribute("role", "timer");
    this.show();
  }

  attributeChangedCallback() {
    this.show();
  }

  show() {
    const seconds = Number(this.getAttribute("seconds") ?? 1) || 1;
    const elapsed = Math.min(seconds, Math.max(0, Number(this.getAttribute("elapsed") ?? 0)));
    this.arc.setAttribute("stroke-dashoffset", String(AROUND * (1 - elapsed / seconds)));
    this.count.textContent = String(Math.ceil(seconds - elapsed));
    const label = this.getAttribute("label");
    if (label) this.setAttribute("aria-label", label);
  }
}

customElements.define("count-ring", CountRing);
