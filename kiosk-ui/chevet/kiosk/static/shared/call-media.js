/**
 * The voices of a call, from browser to browser: Opus at speech rates with silence left out; a picture only by a button and
 * only where the measured way carries it. Nothing is recorded. Nothing is said about a call by the page itself: it tells its
 * host when the voices come, and when they came no more.
 */

import { listenWith, microphone } from "/shared/voice-recorder.js";

/** So long the two browsers may look for a way to each other. */
const CONNECT_MS = 20_000;
/** Voices that stop for longer are gone: silence too sends a packet each 0.4 s (RFC 7587, section 3.1.3). */
const LOST_MS = 8000;
const LOOK_MS = 500;
const GATHER_MS = 2500;
const VOICE_BITS = 24_000;
const PICTURE_BITS = 400_000;
/** Bytes a second that must have been measured before a picture may go: it takes 0.6 of them at most, as live mode does. */
export const PICTURE_FROM = 40_000;
const SHARE = 0.6;
const PICTURE = { video: { width: { ideal: 320 }, height: { ideal: 240 }, frameRate: { max: 15 }, facingMode: "environment" } };

/** @typedef {{ way: (state: "talking" | "lost") => void, picture: (stream: MediaStream | null) => void }} Told */

export class CallMedia {
  /** @param {MediaStream} own @param {RTCIceServer[]} ice @param {Told} told */
  constructor(own, ice, told) {
    this.told = told;
    this.own = own;
    /** @type {MediaStreamTrack | null} */
    this.camera = null;
    this.held = false;
    this.talking = false;
    this.packets = 0;
    this.heardAt = performance.now();
    this.limit = CONNECT_MS;
    this.sound = new Audio();
    this.sound.autoplay = true;
    this.peer = new RTCPeerConnection({ iceServers: ice });
    this.peer.ontrack = ({ track }) => this.came(track);
    this.timer = window.setInterval(() => void this.look(), LOOK_MS);
  }

  /** Ask for the microphone and get ready. @param {RTCIceServer[]} ice @param {Told} told @throws {import("/shared/voice-recorder.js").NoMicrophone} */
  static async open(ice, told) {
    const own = await microphone();
    try {
      return new CallMedia(own, ice, told);
    } catch (error) {
      stop(own); // servers that the browser does not take
      throw error;
    }
  }

  /** @param {MediaStreamTrack} track */
  came(track) {
    const stream = new MediaStream([track]);
    if (track.kind === "audio") {
      this.sound.srcObject = stream;
      void this.sound.play().catch(() => undefined); // a page that nobody touched yet: autoplay begins with the next touch
      return;
    }
    track.onunmute = () => this.told.picture(stream);
    track.onmute = () => this.told.picture(null);
  }

  /** The offer, with all ways that were found: nothing trickles over a poor link. */
  async offer() {
    for (const track of this.own.getAudioTracks()) this.peer.addTrack(track, this.own);
    slim(this.peer.addTransceiver("video", { direction: "sendrecv" })); // no picture goes until a button gives it one
    await this.peer.setLocalDescription(await this.peer.createOffer());
    return this.gathered();
  }

  /** @param {string} sdp the other's offer */
  async answer(sdp) {
    await this.peer.setRemoteDescription({ type: "offer", sdp });
    for (const track of this.own.getAudioTracks()) this.peer.addTrack(track, this.own);
    for (const one of this.peer.getTransceivers()) one.direction = "sendrecv";
    await this.peer.setLocalDescription(await this.peer.createAnswer());
    this.begun();
    return this.gathered();
  }

  /** @param {string} sdp the other's answer */
  async take(sdp) {
    await this.peer.setRemoteDescription({ type: "answer", sdp });
    this.begun();
  }

  begun() {
    this.heardAt = performance.now();
    void this.limitRates();
  }

  /** @returns {Promise<string>} */
  async gathered() {
    if (this.peer.iceGatheringState !== "complete") {
      await new Promise((done) => {
        const timer = setTimeout(done, GATHER_MS);
        this.peer.addEventListener("icegatheringstatechange", () => {
          if (this.peer.iceGatheringState !== "complete") return;
          clearTimeout(timer);
          done(undefined);
        });
      });
    }
    return quiet(this.peer.localDescription?.sdp ?? "");
  }

  /** While an urgent study travels nothing of a call goes out. @param {boolean} on */
  hold(on) {
    if (on === this.held) return;
    this.held = on;
    this.heardAt = performance.now();
    void this.limitRates();
  }

  /** @param {boolean} on */
  mute(on) {
    for (const track of this.own.getAudioTracks()) track.enabled = !on;
  }

  /** Begin or end the own picture. @param {boolean} on @param {number | null} rate measured, bytes a second @returns {Promise<boolean>} whether it goes */
  async show(on, rate) {
    this.camera?.stop();
    this.camera = null;
    const sender = this.peer.getTransceivers().find(({ receiver }) => receiver.track.kind === "video")?.sender;
    if (!on || !sender || (rate ?? 0) < PICTURE_FROM) {
      await sender?.replaceTrack(null);
      return false;
    }
    const stream = await listenWith(PICTURE);
    if (this.closed) {
      stop(stream);
      return false;
    }
    const [track = null] = stream.getVideoTracks();
    this.camera = track;
    this.bits = Math.min(PICTURE_BITS, 8 * SHARE * (rate ?? 0) - VOICE_BITS);
    await sender.replaceTrack(track);
    await this.limitRates();
    return track !== null;
  }

  async limitRates() {
    for (const sender of this.peer.getSenders()) {
      const bits = sender.track?.kind === "video" ? (this.bits ?? PICTURE_BITS) : VOICE_BITS;
      const parameters = sender.getParameters();
      for (const encoding of parameters.encodings ?? []) Object.assign(encoding, { maxBitrate: bits, active: !this.held });
      await sender.setParameters(parameters).catch(() => undefined); // before the two have agreed there is nothing to limit
    }
  }

  /** Do the voices come? */
  async look() {
    const { connectionState } = this.peer;
    if (connectionState === "failed") return this.lost();
    let packets = 0;
    for (const one of (await this.peer.getStats()).values()) {
      if (one.type === "inbound-rtp" && one.kind === "audio") packets += one.packetsReceived;
    }
    if (this.closed) return;
    if (packets > this.packets || this.held) {
      this.packets = packets;
      this.heardAt = performance.now();
      this.limit = LOST_MS;
      if (!this.talking && packets) {
        this.talking = true;
        this.told.way("talking");
      }
    }
    const agreed = this.peer.remoteDescription && this.peer.localDescription;
    if (agreed && performance.now() - this.heardAt > this.limit) this.lost();
  }

  lost() {
    this.close();
    this.told.way("lost");
  }

  /** Ended: what a browser still gives after that is given back. */
  get closed() {
    return this.peer.signalingState === "closed";
  }

  close() {
    clearInterval(this.timer);
    stop(this.own);
    this.camera?.stop();
    this.sound.srcObject = null;
    this.peer.close();
  }
}

/** @param {MediaStream} stream */
function stop(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/** One codec for pictures: the description is a third smaller. @param {RTCRtpTransceiver} video */
function slim(video) {
  const known = RTCRtpReceiver.getCapabilities("video")?.codecs ?? [];
  const kept = known.filter(({ mimeType }) => /VP8|rtx/i.test(mimeType));
  if (kept.length) video.setCodecPreferences(kept);
}

/** Ask the other for speech at a low rate that leaves silence out (RFC 7587, section 6.1). @param {string} sdp */
function quiet(sdp) {
  return sdp.replace(/useinbandfec=1/g, `useinbandfec=1;usedtx=1;stereo=0;maxaveragebitrate=${VOICE_BITS}`);
}
