/** Hands on what a microphone hears, block by block; it runs beside the page and keeps nothing. */

class Hearing extends AudioWorkletProcessor {
  /** @param {Float32Array[][]} inputs */
  process(inputs) {
    const heard = inputs[0]?.[0];
    if (heard) this.port.postMessage(heard.slice());
    return true;
  }
}

registerProcessor("hearing", Hearing);
