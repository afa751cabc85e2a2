// The patient's last seconds, drawn as strips: no library, no smoothing, the newest sample at the right.

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number[]} samples
 * @param {{low: number, high: number, colour: string, filled?: boolean}} how
 */
export function draw(canvas, samples, how) {
  const scale = window.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * scale);
  const height = Math.round(canvas.clientHeight * scale);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const pen = canvas.getContext("2d");
  if (!pen || samples.length < 2) return;
  pen.clearRect(0, 0, width, height);
  const colour = getComputedStyle(canvas).getPropertyValue(how.colour);
  const span = Math.max(how.high - how.low, 1e-9);
  const x = (/** @type {number} */ place) => (place / (samples.length - 1)) * width;
  const y = (/** @type {number} */ value) => height - ((value - how.low) / span) * height;
  pen.beginPath();
  samples.forEach((value, place) => (place ? pen.lineTo(x(place), y(value)) : pen.moveTo(x(0), y(value))));
  if (how.filled) {
    pen.lineTo(width, height);
    pen.lineTo(0, height);
    pen.closePath();
    pen.fillStyle = colour;
    pen.fill();
    return;
  }
  pen.strokeStyle = colour;
  pen.lineWidth = 1.4 * scale;
  pen.lineJoin = "round";
  pen.stroke();
}

/**
 * The span that holds a signal, never narrower than `least`.
 * @param {number[]} samples
 * @param {number} least
 */
export function spanOf(samples, least) {
  const low = Math.min(...samples);
  const high = Math.max(...samples);
  const spare = Math.max(least - (high - low), 0) / 2 + (high - low) * 0.06;
  return { low: low - spare, high: high + spare };
}
