/** Speech from the microphone as the box codes it: one channel, 16 kHz, 16 bits; at most a minute. */

/** @typedef {"denied" | "none" | "failed"} Trouble why nothing can be heard */

export const RATE_HZ = 16_000;
export const LONGEST_S = 60;
/** A voice, not an instrument: here the browser's own cleaning helps. */
const SPEECH = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };

export class NoMicrophone extends Error {
  /** @param {Trouble} trouble */
  constructor(trouble) {
    super(trouble);
    this.trouble = trouble;
  }
}

/** @param {MediaStreamConstraints} wanted @returns {Promise<MediaStream>} @throws {NoMicrophone} */
export async function listenWith(wanted) {
  if (!navigator.mediaDevices) throw new NoMicrophone("none"); // a page that came neither by https nor from this machine
  try {
    return await navigator.mediaDevices.getUserMedia(wanted);
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    if (name === "NotAllowedError" || name === "SecurityError") throw new NoMicrophone("denied");
    throw new NoMicrophone(name === "NotFoundError" || name === "OverconstrainedError" ? "none" : "failed");
  }
}

export const microphone = () => listenWith({ audio: SPEECH });

export class VoiceRecorder {
  /** @param {MediaStream} stream @param {AudioContext} context */
  constructor(stream, context) {
    this.stream = stream;
    this.context = context;
    /** @type {Float32Array[]} */
    this.blocks = [];
    this.count = 0;
    this.level = 0;
  }

  /** Ask for the microphone and begin. @throws {NoMicrophone} */
  static async begin() {
    const stream = await microphone();
    const context = new AudioContext();
    const recorder = new VoiceRecorder(stream, context);
    try {
      await context.audioWorklet.addModule("/shared/voice-worklet.js");
    } catch {
      recorder.close();
      throw new NoMicrophone("failed");
    }
    const hearing = new AudioWorkletNode(context, "hearing", { numberOfOutputs: 0 });
    hearing.port.onmessage = ({ data }) => recorder.hear(data);
    context.createMediaStreamSource(stream).connect(hearing);
    return recorder;
  }

  /** @param {Float32Array} block */
  hear(block) {
    if (this.seconds >= LONGEST_S) return;
    this.blocks.push(block);
    this.count += block.length;
    const loudest = block.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    this.level = Math.max(loudest, this.level * 0.9);
  }

  get seconds() {
    return Math.min(LONGEST_S, this.count / this.context.sampleRate);
  }

  /** Stop listening; return what was said. @returns {Promise<Int16Array<ArrayBuffer>>} */
  async end() {
    const from = this.context.sampleRate;
    this.close();
    const frames = Math.floor(this.seconds * RATE_HZ);
    if (!frames) return new Int16Array(0);
    const offline = new OfflineAudioContext(1, frames, RATE_HZ); // browsers resample well by themselves
    const buffer = offline.createBuffer(1, this.count, from);
    let at = 0;
    for (const block of this.blocks) {
      buffer.copyToChannel(/** @type {Float32Array<ArrayBuffer>} */ (block), 0, at);
      at += block.length;
    }
    const source = offline.createBufferSource();
    source.buffer = buffer;
    source.connect(offline.destination);
    source.start();
    const sound = (await offline.startRendering()).getChannelData(0);
    return Int16Array.from(sound, (value) => Math.max(-32768, Math.min(32767, Math.round(value * 32768))));
  }

  close() {
    for (const track of this.stream.getTracks()) track.stop();
    if (this.context.state !== "closed") void this.context.close();
  }
}
