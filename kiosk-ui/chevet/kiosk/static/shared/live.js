/** The live WebSocket: reconnects by itself, decodes wave frames (docs/api.md). */

/** @typedef {import("/shared/types.js").Frame} Frame */
/** @typedef {import("/shared/types.js").LiveText} LiveText */

const VERSION = 1;
const KINDS = /** @type {Record<number, "samples" | "picture">} */ ({ 1: "samples", 2: "picture" });
const HEAD = 4; // version, kind, length of the header (16 bits)
/** Reconnect after 0.3 s, doubling to 4 s: a kiosk beside its box must come back before the worker wonders. */
const RETRY_MS = [300, 600, 1200, 2400, 4000];

/**
 * @param {ArrayBuffer} data
 * @returns {Frame | null} null when it is not a frame we know: what comes over a wire never breaks a page
 */
export function decodeFrame(data) {
  if (data.byteLength < HEAD) return null;
  const view = new DataView(data);
  const kind = KINDS[view.getUint8(1)];
  const start = HEAD + view.getUint16(2, true);
  if (view.getUint8(0) !== VERSION || !kind || start > data.byteLength) return null;
  try {
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, HEAD, start - HEAD)));
    if (kind === "picture") return { kind, header, image: new Blob([data.slice(start)], { type: header.media_type }) };
    return { kind, header, channels: split(data.slice(start), header) };
  } catch {
    return null;
  }
}

/** @param {ArrayBuffer} payload @param {import("/shared/types.js").WaveHeader} header @returns {(Int16Array | Int32Array)[]} */
function split(payload, { channels, count, bytes = 2 }) {
  const Samples = { 2: Int16Array, 4: Int32Array }[bytes];
  if (!Samples || payload.byteLength !== channels.length * count * bytes) throw new RangeError("samples do not fill the frame");
  return channels.map((_, c) => new Samples(payload, c * count * bytes, count));
}

/** One connection for the whole page. Screens add listeners and say which devices they watch. */
export class Live {
  /** @param {string} [path] */
  constructor(path = "/api/live") {
    this.path = path;
    /** @type {Set<(frame: Frame) => void>} */
    this.frames = new Set();
    /** @type {Set<(message: LiveText) => void>} */
    this.texts = new Set();
    /** @type {Set<(open: boolean) => void>} */
    this.states = new Set();
    /** @type {string[]} */
    this.watched = [];
    /** @type {WebSocket | null} */
    this.socket = null;
    this.wanted = false;
    this.failures = 0;
    this.timer = 0;
  }

  open() {
    if (this.wanted) return;
    this.wanted = true;
    this.connect();
  }

  close() {
    this.wanted = false;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** Replace the watch list. @param {string[]} devices */
  watch(devices) {
    this.watched = devices;
    if (this.isOpen) this.socket?.send(JSON.stringify({ watch: devices }));
  }

  connect() {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${this.path}`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => this.opened();
    socket.onmessage = (event) => this.received(event.data);
    socket.onclose = () => this.closed(socket);
  }

  opened() {
    this.failures = 0;
    this.watch(this.watched);
    this.states.forEach((listen) => listen(true));
  }

  /** @param {WebSocket} socket */
  closed(socket) {
    if (socket !== this.socket) return;
    this.socket = null;
    this.states.forEach((listen) => listen(false));
    if (!this.wanted) return;
    const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)];
    this.failures += 1;
    this.timer = window.setTimeout(() => this.connect(), wait);
  }

  /** @param {string | ArrayBuffer} data */
  received(data) {
    if (typeof data === "string") {
      const message = parse(data);
      if (message) this.texts.forEach((listen) => listen(message));
      return;
    }
    const frame = decodeFrame(data);
    if (frame) this.frames.forEach((listen) => listen(frame));
  }
}

/** @param {string} text @returns {LiveText | null} */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
