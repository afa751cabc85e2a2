/** Shapes of docs/api.md as the screens see them. */

export interface Quality { score: number; usable: boolean; reasons: string[] }
export interface Measurement { kind: string; value: number | null; unit: string; method: string }
export interface Reading { kind: string; value: number | null; unit: string; status: string[] }
export interface Vital { kind: string; value: number | null; unit: string; source: string; at_ms: number; quality: Quality; recording: string }
export interface ChannelShape { name: string; unit: string; rate_hz: number; gain: number; offset: number }
export interface PictureShape { media_type: string; at_s: number; best: boolean; bytes: number }
export interface Recording {
  id: string; step: string; site: string; side: string; driver: string; link: string;
  device: { model?: string; serial?: string; firmware?: string; calibrated_on?: string; measured_hz?: string; settings?: string };
  started_ms: number; duration_s: number; samples: number; lost_samples: number; gaps: [number, number][];
  quality: Quality; measurements: Measurement[]; readings: Reading[]; accepted_poor: boolean; simulated: boolean;
  channels: ChannelShape[]; pictures: PictureShape[];
}
export interface Patient { id: string; name: string; birth_year: number | null; sex: string; local_number: string }
export interface Person { id: string; name: string; specialty?: string }
export interface Medicine { name: string; how: string }
export interface Opinion {
  id: string; case: string; version: number; impression: string; certainty: string; advice: string; urgency: string;
  transfer: boolean; follow_up_date: string | null; author: Person; signed_ms: number; verified: boolean;
  medicines?: { name: string; how: string }[]; voice?: Voice | null;
}
/** A voice note that signed words name; `state` is told by the box, at the desk the sound is asked for. */
export interface Voice { id: string; length_ms: number; bytes: number; state?: "here" | "arriving" | "altered" }
/** Said, not yet sent: `text` is the sound as base64. */
export interface SpokenDraft { ogg: Blob; text: string; length_ms: number; bytes: number }
export interface Message { id: string; case: string; kind: string; step: string; site: string; side: string; text: string; author: Person; at_ms: number; verified: boolean; voice?: Voice | null }
export interface Device {
  id: string; instrument: string; driver: string; link: string; origin: "settings" | "found";
  state: "absent" | "waiting" | "connecting" | "ready" | "failed";
  model: string; serial: string; firmware: string; battery_pct: number | null; rates: Record<string, number>;
  measured_hz: number | null; rate_wrong: boolean; calibrated_on: string | null;
  lost_samples: number; bad_frames: number; last_packet_ms: number | null; problem: string; simulated: boolean;
  /** Kept for lessons alone. */ training?: boolean;
}
/** Something on a bus, and what it was taken for. */
export interface Found {
  id: string; bus: "serial" | "bluetooth" | "camera"; name: string; maker: string; serial: string; place: string; rssi: number | null;
  state: "listening" | "unknown" | "offered" | "used" | "refused"; driver: string; instrument: string; drivers: string[];
  certainty: "certain" | "likely" | "ambiguous" | "unknown"; reason: string; doubt: string; device: string; problem: string; seen_ms: number;
}
/** The newest numbers of a meter, not yet of a patient. */
export interface Measured { device: string; instrument: string; at_ms: number; readings: Reading[]; quality: Quality }
export interface Capture {
  id: string; visit: string; step: string; site: string; side: string; device: string;
  state: "recording" | "done" | "failed"; problem: string; elapsed_s: number; seconds: number; recording: Recording | null;
}
export interface Consent { purposes: string[]; given_ms: number; witness: string }
export interface Skip { step: string; site: string; side: string; reason: string }
export interface Visit {
  id: string; patient: Patient; state: "draft" | "closed" | "abandoned"; created_ms: number; reason: string; question: string;
  specialty: string; urgency: string; language: string; red_flags: string[] | null; screen: string; consent: Consent | null;
  recordings: Recording[]; vitals: Vital[]; skips: Skip[]; tries: Record<string, number>; capture: Capture | null; label: string;
  path: "" | "stroke" | "chest_pain" | "newborn"; history: Record<string, string>; override: string;
  continues: { case: string; message: string; step: string; site: string; side: string; text: string } | null;
}
export interface Health {
  disk: Status["disk"]; heat: { celsius: number | null; level: "ok" | "warm" | "hot" | "unknown" }; memory_bytes: number | null;
  clock: { now_ms: number; quality: string; up_s: number }; power: Status["power"]; uplink: Status["uplink"]; queue: Status["queue"];
  devices: { ready: number; known: number; weak: string[] }; version: string; visit_open: boolean; support_code: string;
}
export interface UpdateProgress { state: string; version: string; before: string; percent: number; reason: string; at_ms: number }
/** New versions of the box's software; without `on` they are the installer's. */
export interface Update {
  on: boolean; quiet: boolean; version: string; wanted?: string; last?: UpdateProgress | null;
  available?: { version: string; by: string; made: string; bytes: number; place: "stick" | "box" } | null;
  refused?: { version: string; reason: string }[];
}
export interface StickWork {
  name: string; way: "to" | "from"; state: "running" | "done" | "failed"; code: string;
  written?: number; there?: number; left?: number; bytes?: number; number?: number; of?: number; percent?: number;
  messages?: number; settled?: number; answers?: number;
}
/** The courier's sticks that are in. */
export interface Sticks { sticks: { name: string; free_bytes: number; brings: boolean }[]; waiting: number; work: StickWork | null }
export interface Prompt { programme: string; code: string; kind: string; value: number; limit: number; unit: string; days: number; source: string }
export interface TrendPoint { visit: string; at_ms: number; value: number; unit: string }
/** Earlier visits of the same patient on this box. */
export interface Trends {
  programmes: string[]; visits: number; trends: Record<string, TrendPoint[]>; prompts: Prompt[];
  symptoms: { visit: string; at_ms: number; there: string[]; denied: string[] }[];
}
export interface Case {
  id: string; patient_name: string; initials: string; created_ms: number; age_s: number;
  state: "on_box" | "travelling" | "at_relay" | "opened" | "answered"; percent: number; urgency: string; specialty: string;
  reason: string; simulated: boolean; unread: boolean; refused: string; opinion_ms: number | null; pieces_sent: number; pieces_total: number;
  continues: string; retakes: string[]; feedback: "" | "good" | "fair" | "bad";
  /** Grows whenever something joined the conversation. */ said?: number;
}
export interface FullCase extends Case { opinions: Opinion[]; messages: Message[]; recordings: Recording[]; vitals: Vital[]; question: string; patient: Patient; language: string; path: string; history: Record<string, string> }
/** One thing to do in a lesson; `value` from 0 to 1 says how far it is done. */
export interface TrainingStep { check: string; arg: string; part: string; must: boolean; value: number }
export interface TrainingAttempt {
  id: string; lesson: string; state: "open" | "passed" | "failed" | "stopped"; started_ms: number; ended_ms: number | null;
  points: number | null; parts: Record<string, number>; steps: TrainingStep[];
}
export interface TrainingLesson {
  code: string; icon: string; minutes: number; begins: "start" | "tiles" | "retake"; patient: Patient; steps: TrainingStep[];
  question: { code: string; options: string[] } | null; best: number | null; hands: string[];
}
export interface Course {
  lessons: TrainingLesson[]; open: TrainingAttempt | null; history: TrainingAttempt[];
  certificate: { at_ms: number; points: number } | null; missing: string[];
}
export interface Status {
  /** The lesson that is open, "" outside training. */ training?: string;
  site: { code: string; name: string; phone: string }; label: string; version: string; languages: string[];
  uplink: { state: "online" | "offline"; last_contact_ms: number | null; watched?: boolean; route?: string };
  queue: { waiting: number; travelling: number; refused: number; unread?: number };
  power: { source: "mains" | "battery" | "unknown"; percent: number | null };
  disk: { free_bytes: number; level: "ok" | "low" | "full" };
  clock: { now_ms: number; quality: string };
  workers: Person[]; specialties: string[]; electrodes: "iec" | "aha";
}

/** A specialist's call at the kiosk. */
export interface Call {
  id: string; state: "ringing" | "talking" | "over"; reason: string; case: string; initials: string; simulated: boolean; consent: string[];
  caller: { name: string; specialty: string }; sdp: string; ice: RTCIceServer[]; held: boolean; rate: number | null;
}

/** A wave frame (docs/api.md), decoded. */
export interface WaveHeader {
  device: string; recording: string; rate_hz: number; first: number; count: number; unit: string;
  /** A sample's width, 2 where it is not said. */ bytes?: 2 | 4;
  /** False for a live stream beside the one that the device is there for. */ main?: boolean;
  channels: { name: string; gain: number; offset: number }[]; gaps: [number, number][]; layer: string; at_ms: number;
}
export interface SampleFrame { kind: "samples"; header: WaveHeader; channels: (Int16Array | Int32Array)[] }
export interface PictureFrame { kind: "picture"; header: { device: string; media_type: string; at_ms: number }; image: Blob }
export type Frame = SampleFrame | PictureFrame;

export type LiveText =
  | { type: "device"; device: Device }
  | { type: "reading"; device: string; readings: Reading[] }
  | { type: "quality"; device: string; quality: Quality; heart_rate: number | null }
  | { type: "capture"; capture: Capture }
  | { type: "case"; case: Case }
  | { type: "status"; status: Status }
  | { type: "found"; found: Found }
  | { type: "gone"; found: string }
  | { type: "forgotten"; device: string }
  | { type: "notice"; device: string; code: string; on: boolean; detail: string }
  | { type: "call"; call: Call | null }
  | { type: "inbox" };

declare global {
  /** The scope of an audio worklet, which the library of the page's types does not know. */
  class AudioWorkletProcessor { readonly port: MessagePort }
  function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;
}
