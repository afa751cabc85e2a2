"""From a closed visit to a sealed bundle in the spool: nothing is called safe before it is on the disk."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chevet.edge.cases import ON_BOX, Case, Cases, CaseWords
from chevet.edge.copies import Copies
from chevet.edge.errors import Refusal
from chevet.edge.identity import new_id
from chevet.edge.patients import Patients
from chevet.edge.spool import Spool
from chevet.edge.trust import Programme, Site
from chevet.edge.visits import ACCEPTED, CLOSED, Visit, Visits
from chevet.edge.workers import Worker
from chevet.exchange.sealing import Recipient, Sealed, seal
from chevet.study.bundle import Bundle, content_hash, pack
from chevet.study.case import Author, Message, pack_message
from chevet.study.recording import Recording
from chevet.study.spoken import VoiceNote, pack_voice, told_of
from chevet.study.study import HTEST, EdgeClock, Study

URGENT, ROUTINE = 0, 1


@dataclass(frozen=True, slots=True)
class Closing:
    """Closes visits; all of it runs in a thread.

    Attributes:
        copies: gives the recordings, and what was made of them while the worker went on.
        random: gives unpredictable bytes for keys.
        label: HTEST when the whole box is for training or simulated.
    """

    site: Site
    programme: Programme
    visits: Visits
    patients: Patients
    copies: Copies
    cases: Cases
    spool: Spool
    now_ms: Callable[[], int]
    random: Callable[[int], bytes]
    label: str = ""

    def finish(self, visit: Visit) -> Case:
        """Seal and spool a visit in state closing and make its case; may be repeated after a power cut.

        Raises:
            DiskFull: no room for the bundle; the visit is still there to be sent later.
        """
        study = self._study(visit)
        bundle = pack(study, self.copies.pieces)
        sealed = self._seal(study, bundle)
        self.spool.put(sealed)
        case = Case(study.id, study.closed.wall_ms, ON_BOX, self._words(study, bundle, sealed))
        self.cases.add(case)
        if visit.words.continues is not None:
            self.cases.taken_again(visit.words.continues.case, visit.words.continues.message)
        self.visits.move(visit.id, CLOSED, visit.words)
        return case

    def tell_feedback(self, case: Case, worker: Worker, face: str, clock: EdgeClock) -> None:
        """Spool what the worker thought of an answer, to travel like a study; the last one said counts.

        In a sealed programme it stays here: a relay cannot take in a message that it cannot open.

        Raises:
            DiskFull: no room for it.
        """
        if self.programme.sealed:
            return
        self._put(case, pack_message(_message(case, worker, "feedback", face, clock)), clock)

    def tell_note(self, case: Case, worker: Worker, ogg: bytes, clock: EdgeClock) -> None:
        """Spool what the worker said aloud about a case: the words that name it, and the sound behind them.

        Raises:
            Refusal: `not_in_sealed` in a sealed programme, whose relay could not take it in.
            BundleError: it is no voice note.
            DiskFull: no room for it.
        """
        if self.programme.sealed:
            raise Refusal("not_in_sealed", "In a sealed programme notes are not spoken: use the telephone.")
        voice = told_of(new_id(), ogg)
        message = _message(case, worker, "note", "", clock, voice)
        self.cases.keep_voice(voice.id, case.id, ogg)
        # The sound first: a power cut between the two leaves a sound that nothing names, never an empty note.
        self._put(case, pack_voice(voice, case.id, ogg), clock)
        self._put(case, pack_message(message), clock)
        self.cases.keep_message(message, verified=True, own=True)

    def _put(self, case: Case, bundle: Bundle, clock: EdgeClock) -> None:
        """Seal what the worker said to whom the case was sealed, and spool it."""
        sealed = seal(
            bundle,
            origin=self.site.code,
            seq=self.spool.next_seq(),
            priority=ROUTINE,
            created=clock,
            recipients=(
                *self.programme.recipients_for(case.words.specialty),
                Recipient("site", self.site.opener.public_key()),
            ),
            signer=self.site.signer,
            random=self.random,
            label=_label(case),
        )
        self.spool.put(sealed)

    def _study(self, visit: Visit) -> Study:
        words = visit.words
        accepted = [row for row in self.visits.captures(visit.id) if row.verdict == ACCEPTED]
        recordings = tuple(self.copies.recording(row) for row in accepted)
        simulated = self.label or any(recording.simulated for recording in recordings)
        if words.training:
            raise AssertionError("a visit of training is never sealed")
        if words.consent is None or words.closed is None:
            raise AssertionError("only a visit with consent is ever put into state closing")
        return Study(
            id=visit.id,
            site=self.site.code,
            worker=visit.worker,
            patient=self.patients.get(visit.patient),
            consent=words.consent,
            reason=words.reason,
            question=words.question,
            specialty=words.specialty,
            urgency=words.urgency,
            closed=words.closed,
            recordings=recordings,
            vitals=words.vitals,
            language=words.language,
            label=HTEST if simulated else "",
            notes=_notes(visit),
        )

    def _seal(self, study: Study, bundle: Bundle) -> Sealed:
        own = Recipient("site", self.site.opener.public_key())
        return seal(
            bundle,
            origin=self.site.code,
            seq=self.spool.next_seq(),
            priority=ROUTINE if study.urgency == "routine" else URGENT,
            created=_sealed_at(study.closed, self.now_ms()),
            recipients=(*self.programme.recipients_for(study.specialty), own),
            signer=self.site.signer,
            random=self.random,
            label=study.label,
        )

    def _words(self, study: Study, bundle: Bundle, sealed: Sealed) -> CaseWords:
        return CaseWords(
            patient_name=study.patient.name,
            urgency=study.urgency,
            specialty=study.specialty,
            reason=study.reason,
            simulated=bool(study.label),
            closed_ms=study.closed.wall_ms,
            continues=study.notes.get("continues", ""),
            sha256=content_hash(bundle),
            recordings=tuple(_report(recording, bundle, sealed) for recording in study.recordings),
            summary_bytes=sum(len(item.data) for item in sealed.objects if item.layer == 0),
            spooled_ms=self.now_ms(),
        )


def _message(
    case: Case, worker: Worker, kind: str, text: str, clock: EdgeClock, voice: VoiceNote | None = None
) -> Message:
    author = Author(worker.id, worker.name)
    return Message(new_id(), case.id, kind, text, author, clock.wall_ms, label=_label(case), voice=voice)


def _label(case: Case) -> str:
    return HTEST if case.words.simulated else ""


def _sealed_at(closed: EdgeClock, now_ms: int) -> EdgeClock:
    return EdgeClock(now_ms, closed.boot_id, closed.monotonic_s, closed.quality)


def _notes(visit: Visit) -> dict[str, str]:
    notes = {f"skipped:{skip.step}:{skip.site}:{skip.side}": skip.reason for skip in visit.words.skips}
    words = visit.words
    if words.red_flags is not None:
        notes["red_flags"] = ",".join(words.red_flags)
    told = {"path": words.path, "consent_override": words.override}
    if words.continues is not None:
        told |= {"continues": words.continues.case, "retake": words.continues.message}
    notes |= {key: word for key, word in told.items() if word}
    return notes | {f"history:{key}": answer for key, answer in sorted(words.history.items())}


def _report(recording: Recording, bundle: Bundle, sealed: Sealed) -> dict[str, object]:
    sizes = {item.oid: len(item.data) for item in sealed.objects}
    parts = [part for part in bundle.parts if part.recording == recording.id]
    return {
        "id": recording.id,
        "step": recording.step,
        "site": recording.site,
        "side": recording.side,
        "driver": recording.driver,
        "link": recording.link,
        "seconds": recording.duration_s,
        "samples": max((waveform.values.shape[1] for waveform in recording.waveforms), default=0),
        "lost_samples": recording.lost_samples,
        "quality": {
            "score": recording.quality.score,
            "usable": recording.quality.usable,
            "reasons": list(recording.quality.reasons),
        },
        "raw_bytes": _raw_bytes(recording),
        "layer_bytes": {
            str(layer): sum(sizes[p.oid] for p in parts if p.layer == layer) for layer in range(4)
        },
    }


def _raw_bytes(recording: Recording) -> int:
    waves: Sequence[int] = [waveform.values.nbytes for waveform in recording.waveforms]
    return sum(waves) + sum(len(picture.data) for picture in recording.pictures)
