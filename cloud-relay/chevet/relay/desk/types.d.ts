/** Shapes of the desk's part of docs/api.md. */

import type { Marks } from "/shared/instruments/ecg-paper-marks.js";
import type { Shape } from "/shared/instruments/picture-viewer-draw.js";
import type { State } from "/shared/instruments/sound-player-over.js";
import type { Consent, Medicine, Message, Opinion, Patient, Person, Recording, SpokenDraft, Vital } from "/shared/types.js";

export interface User { id: string; name: string; role: string; specialty: string; languages: string[] }
export interface RelayStatus { programme: string; version: string; label: string; languages: string[]; broker: "online" | "offline"; second_factor?: "required" | "off"; keep_days?: number; passkeys?: string; provider?: string; sealing?: "processing" | "sealed"; now_ms: number }
export interface Chunks { have: number; total: number }
export interface LayerShare extends Chunks { bytes: number }
export interface DeskRecording extends Recording { layers: Record<string, LayerShare>; source?: { media_type: string; bytes: number } | null; clip?: { media_type: string; bytes: number; from_s: number; seconds: number } | null; streams?: { unit: string; rate_hz: number; names: string[] }[] }
/** Another visit of the same patient, without who it was. */
export interface EarlierVisit { id: string; closed_ms: number; reason: string; age: number | null; simulated: boolean; vitals: Vital[]; recordings: DeskRecording[] }
export interface EcgMarks extends Marks { kind: "ecg"; method: string; swaps: { electrodes: string[]; confidence: number }[] }
export interface SoundMarks {
  kind: "sound"; duration_s: number; guided_by_ecg: boolean; states: State[]; method: string;
  envelope: { band_hz: number[]; step_s: number; level: (number | null)[]; cycle: number[] | null; cycles: number } | null;
  noise: { band_hz: number[]; step_s: number; level_db: (number | null)[] } | null;
}
export interface Drawing { recording: string; picture: number; author: { id: string; name: string }; shapes: Shape[]; at_ms: number }
export type CaseState = "arriving" | "waiting" | "claimed" | "answered";
export interface InboxCase {
  id: string; site: { code: string; name: string }; patient: { sex: string; age: number | null };
  reason: string; question: string; specialty: string; urgency: string; state: CaseState; received_ms: number; age_s: number;
  claimed_by: Person | null; layers: Record<string, Chunks>; quality: number; usable: boolean; simulated: boolean;
  language: string; due_ms: number; allocated_to: Person | null; snoozed: { until_ms: number; why: string } | null;
}
/** A specialist as lists show them. */
export interface Colleague { id: string; name: string; specialty: string; languages: string[]; on_call: boolean; load: number }
export interface EdgeClock { wall_ms: number; boot_id: string; monotonic_s: number; quality: string }
export interface DeskCase extends Omit<InboxCase, "patient"> {
  patient: Patient & { age?: number | null }; language: string; consent: Consent; vitals: Vital[]; recordings: DeskRecording[];
  opinions: Opinion[]; messages: Message[]; closed: EdgeClock; drawings?: Drawing[]; stock?: string[];
  /** The reader's own words that are not signed yet, from the relay. */ draft?: (Omit<Draft, "voice"> & { opinions: number; at_ms: number }) | null;
}
export interface Back { id: string; kind: string; queued_ms: number; at_site_ms: number | null }
export interface Delivery {
  manifest_ms: number | null; layers_ms: Record<string, number | null>; complete_ms: number | null;
  bytes_up: number; bytes_down: number; sha256: string; refused: string; back?: Back[]; wanted_ms?: number | null;
}
export interface RefusedBundle { id: string; site: string; reason: string; at_ms: number }

/** What the specialist is writing; `null` until chosen, so that nothing is signed by default. */
export interface Draft {
  impression: string; certainty: string; advice: string; urgency: string; transfer: boolean | null; follow_up_date: string; medicines: Medicine[];
  /** Said aloud beside the words, signed with them. */ voice: SpokenDraft | null;
  /** An amendment goes on with the voice of the version before. */ keep_voice: boolean;
}
export type Pane = "ecg" | "heart" | "ears" | "photos" | "vitals" | "thread" | "talk" | "live";
/** Whom one may invite to a discussion. */
export interface Expert { id: string; name: string; role: string; specialty: string }
export interface Member extends Expert { invited_ms: number; came_ms: number | null; took_part: boolean; left: boolean }
export interface Comment { id: string; author: Person; at_ms: number; text: string | null; versions: { version: number; at_ms: number; text: string | null }[] }
export interface BareDiscussion {
  id: string; case: string; state: "planned" | "running" | "lapsed" | "closed"; sealed: boolean;
  opened_by: Person; opened_ms: number; starts_ms: number; until_ms: number; closed_ms: number | null; members: Member[];
}
export interface Discussion extends BareDiscussion {
  questions: string; conclusion: string; draft: string; comments: Comment[]; you: { write: boolean; lead: boolean; close: boolean };
}
/** A case of the teaching library, as the list shows it. */
export interface Lesson {
  id: string; state: "waiting" | "listed"; title: string; specialty: string; question: string; reason: string; patient: { sex: string; band: string };
  steps: string[]; simulated: boolean; added_by: Person; added_ms: number; approved_by: Person | null; approves: boolean;
}
export interface OpenLesson extends Lesson { story: string; vitals: Vital[]; recordings: DeskRecording[] }
/** What could be taken of a case, with the texts to review. */
export interface Proposal {
  allowed: boolean; whole: boolean; patient: { sex: string; band: string }; specialty: string; question: string; answer: string;
  items: { recording: string; kind: "signal" | "sound" | "picture" | "clip"; number: number; look: boolean }[]; lessons: Lesson[];
}
/** A discussion in one's agenda; `about` is null where the case is no longer, or cannot be, opened. */
export interface AgendaTalk extends BareDiscussion {
  new: number;
  about: { reason: string; specialty: string; urgency: string; patient: { sex: string; age: number | null }; site: Person & { code: string }; simulated: boolean } | null;
}
/** How live mode goes, told each second. */
export interface LiveState {
  state: string; patient: "same" | "other" | "unknown"; label: string; latency_ms: number | null; round_trip_ms: number | null;
  frames: number; lost: number; gaps: number; streams: { device: string; rate_hz: number; channels: string[] }[];
}
export interface Route { page: "inbox" | "case" | "refused" | "duty" | "report" | "glass" | "talks" | "library" | "programme"; id: string; pane: Pane | "" }
