"""Who and what an export is about: one case, its exact recordings, and how its patient may be named."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Literal

from chevet.relay.archive.cases import Case
from chevet.relay.archive.delivery import Stored, stored_parts
from chevet.relay.errors import RefusedError
from chevet.relay.exports.plain_picture import plain
from chevet.relay.relay import Relay
from chevet.study.bundle import Part, lossless_waveform
from chevet.study.case import Message, Opinion
from chevet.study.recording import Recording, StoredPicture
from chevet.study.study import CONSENT_PURPOSES, HTEST, Patient, Study

Identity = Literal["pseudonym", "full"]
STATEMENT = (
    "Research and training software, not a certified medical device. Measurements are drafts; nothing here "
    "is a diagnosis made by software."
)
SIMULATED = f"{HTEST}: simulated or training data, of no patient. "
EXACT = 3
RECOGNISED: Final = ("head", "face", "mouth")
"""Where a photograph shows who it is: under a pseudonym it stays (PS3.15, E.1, recognizable features)."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A recording, or a part of one, that an export does not hold, and the coded reason."""

    recording: str
    reason: str


@dataclass(frozen=True)
class Subject:
    """One case as the exports read it.

    Attributes:
        case: as the archive has it; its study holds recordings without samples.
        identity: "pseudonym" leaves out names, register number, birth year, and what a camera writes beside
            the pixels of a still.
        opinions: newest version last; only those whose signatures hold.
        messages: oldest first; only those whose signatures hold.
        purpose: one of CONSENT_PURPOSES; what people wrote freely leaves for care only.
    """

    relay: Relay
    case: Case
    stored: tuple[Stored, ...]
    identity: Identity
    opinions: tuple[Opinion, ...] = ()
    messages: tuple[Message, ...] = ()
    purpose: str = "care"

    @property
    def study(self) -> Study:
        """Return the study's summary."""
        return self.case.study

    @property
    def patient(self) -> Patient:
        """Return the patient as this export may name them."""
        who = self.study.patient
        return who if self.identity == "full" else replace(who, name="", birth_year=None, local_number="")

    @property
    def age(self) -> int | None:
        """Return the age in years when the visit closed, by birth year alone; None where it is unknown."""
        year = self.study.patient.birth_year
        return None if year is None else max(0, moment(self.study.closed.wall_ms).year - year)

    @property
    def label(self) -> str:
        """Return HTEST where anything of the case is simulated, else ""."""
        return HTEST if self.case.simulated else ""

    @property
    def statement(self) -> str:
        """Return what every export says of itself."""
        return f"{SIMULATED if self.label else ''}{STATEMENT}"

    def recordings(self) -> Iterator[Recording | LeftOut]:
        """Yield each recording with its exact samples and pictures, one at a time."""
        for recording in self.study.recordings:
            face = recording.step == "photo" and recording.site in RECOGNISED and self.identity == "pseudonym"
            yield LeftOut(recording.id, "recognisable") if face else self.filled(recording)

    def filled(self, recording: Recording) -> Recording | LeftOut:
        """Return a recording of this case with everything it has; not_yet_here where a part is missing.

        A cart's own file stays where it is: it names the patient.
        """
        mine = [item for item in self.stored if item.recording == recording.id]
        wanted = [item for item in mine if item.layer == EXACT or item.kind == "clip"]
        parts = {(item.kind, item.number): item for item in wanted}
        pictures = [parts.get(("picture", index)) for index in range(len(recording.pictures))]
        waves, clip = parts.get(("waveform", 0)), parts.get(("clip", 0))
        missing = (recording.waveforms and waves is None) or (recording.clip and clip is None)
        if missing or None in pictures:
            return LeftOut(recording.id, "not_yet_here")
        return replace(
            recording,
            waveforms=lossless_waveform(self._part(waves)) if waves else (),
            pictures=tuple(
                replace(still, data=self._part(item).data)
                for still, item in zip(recording.pictures, pictures, strict=True)
                if item is not None
            ),
            clip=replace(recording.clip, data=self._part(clip).data) if recording.clip and clip else None,
            source=None,
        )

    def own_bytes(self, still: StoredPicture) -> bytes | None:
        """Return a still of `filled` as its camera coded it, as far as this export may hold it.

        Under a pseudonym what the camera says of place, time and itself is cut off; None where that cannot
        be: then only decoded pixels may leave.
        """
        return still.data if self.identity == "full" else plain(still.data, still.media_type)

    def _part(self, item: Stored) -> Part:
        return self.relay.vault.part(self.case.manifest, item.oid, item.name)


def subject(
    relay: Relay,
    case_id: str,
    who: str,
    form: str,
    *,
    purpose: str = "care",
    identity: Identity = "pseudonym",
) -> Subject:
    """Open a case for export, if the patient allowed that purpose, and write it into the audit.

    Args:
        relay: whose archive.
        case_id: the study's id.
        who: user id, or "operator", for the audit.
        form: what is exported, for the audit.
        purpose: one of CONSENT_PURPOSES.
        identity: whether the patient is named; only for "care".

    Raises:
        RefusedError: 404 `not_found`; 403 `no_consent` for that purpose; 422 `invalid` for names in an export
            that is not for care.
    """
    if purpose not in CONSENT_PURPOSES:
        raise RefusedError(
            422, "invalid", f"The purpose must be one of {', '.join(CONSENT_PURPOSES)}.", "purpose"
        )
    if identity == "full" and purpose != "care":
        raise RefusedError(
            422, "invalid", "Names leave for care only: export a pseudonym for any other purpose.", "identity"
        )
    with relay.database.read() as connection:
        case = relay.cases.get(connection, case_id)
        stored = tuple(stored_parts(connection, case.tid))
    if purpose not in case.study.consent.purposes:
        raise RefusedError(
            403, "no_consent", "The patient did not consent to that purpose: ask the site to ask.", "purpose"
        )
    with relay.database.write() as connection:
        relay.audit.add(
            connection, relay.now_ms(), who, "case.export", case_id, f"{form} {purpose} {identity}"
        )
    said = relay.answers.conversation(case_id)
    opinions = sorted((one for one, holds in said.opinions if holds), key=lambda one: one.version)
    messages = tuple(one for one, holds in said.messages if holds)
    return Subject(relay, case, stored, identity, tuple(opinions), messages, purpose)


def note(about: Subject, who: str, detail: str) -> None:
    """Write what became of an export into the audit."""
    relay = about.relay
    with relay.database.write() as connection:
        relay.audit.add(connection, relay.now_ms(), who, "case.exported", about.case.id, detail)


def moment(unix_ms: int) -> datetime:
    """Return a time in UTC."""
    return datetime.fromtimestamp(unix_ms / 1000, UTC)
