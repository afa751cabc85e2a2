"""A case as the teaching library shows it: what was chosen of it, without who, where and when it was. Pure.

Nothing is copied: this is a view of the case, made anew at each look. So whatever hides or destroys the case
hides or destroys its lesson too, and what is never in the view can never leave with it.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from chevet.relay.archive.cases import Case
from chevet.relay.archive.delivery import Stored
from chevet.relay.teaching.lesson import CLIP, PICTURE, SIGNAL, SOUND, Item, Lesson
from chevet.study.recording import Recording
from chevet.study.shape import Shape
from chevet.study.study import Consent, EdgeClock, Patient, Study, Vital

BEGIN_MS: Final = 946_684_800_000
"""2000-01-01T00:00Z: where every lesson's visit begins: only lengths of time are left of its times."""
KEPT_OF_DEVICE: Final = ("model", "measured_hz")
"""What a reader of a signal needs; a serial number leads to a site."""


@dataclass(frozen=True, slots=True)
class Masked:
    """A case without its identity; `stored` names the parts of what was chosen, under new ids."""

    case: Case
    stored: tuple[Stored, ...]


def masked(case: Case, stored: Collection[Stored], lesson: Lesson, ident: str) -> Masked:
    """Return what a lesson shows of a case.

    Args:
        case: as the archive has it.
        stored: the parts that are here.
        lesson: what was chosen of it.
        ident: the lesson's id: random, where the case's own tells when it was made.
    """
    chosen = frozenset(lesson.items)
    kept = [one for one in case.study.recordings if any(item.recording == one.id for item in chosen)]
    names = {one.id: _name(ident, place) for place, one in enumerate(kept)}
    study = _study(case.study, kept, chosen, names, lesson, ident)
    shown = replace(
        case,
        id=ident,
        site="",
        site_name="",
        study=study,
        shapes={names[one.id]: _shape(case.shapes[one.id], one, chosen) for one in kept},
        received_ms=BEGIN_MS,
        complete_ms=BEGIN_MS,
        claimed_by=None,
        answered_ms=None,
        due_ms=0,
        allocated_to=None,
        snoozed=None,
    )
    parts = (_part(one, chosen, names) for one in stored)
    return Masked(shown, tuple(one for one in parts if one is not None))


def _name(ident: str, place: int) -> str:
    """Return an id for a recording that tells nothing: those of the box hold the time they were made at."""
    return str(uuid.uuid5(uuid.UUID(ident), str(place)))


def _study(
    study: Study,
    kept: list[Recording],
    chosen: Collection[Item],
    names: Mapping[str, str],
    lesson: Lesson,
    ident: str,
) -> Study:
    times = [one.started_ms for one in study.recordings] + [one.at_ms for one in study.vitals]
    shift = BEGIN_MS - min(times, default=study.closed.wall_ms)
    return replace(
        study,
        id=ident,
        site="",
        worker="",
        patient=Patient(ident, "", None, study.patient.sex),
        consent=Consent(("teaching",), BEGIN_MS),
        question=lesson.question,
        specialty=lesson.specialty,
        closed=EdgeClock(study.closed.wall_ms + shift, "", 0.0),
        recordings=tuple(_recording(one, chosen, names, shift) for one in kept),
        vitals=tuple(_vital(one, names, shift) for one in study.vitals),
        language="",
        notes={},
    )


def _vital(one: Vital, names: Mapping[str, str], shift: int) -> Vital:
    return replace(one, at_ms=one.at_ms + shift, recording=names.get(one.recording, ""))


def _recording(one: Recording, chosen: Collection[Item], names: Mapping[str, str], shift: int) -> Recording:
    heard = {Item(one.id, SIGNAL), Item(one.id, SOUND)} & set(chosen)
    return replace(
        one,
        id=names[one.id],
        link="",
        started_ms=one.started_ms + shift,
        device={key: word for key, word in one.device.items() if key in KEPT_OF_DEVICE},
        waveforms=one.waveforms if heard else (),
        pictures=tuple(still for at, still in enumerate(one.pictures) if Item(one.id, PICTURE, at) in chosen),
        clip=one.clip if Item(one.id, CLIP) in chosen else None,
        source=None,  # a cart's own file names the patient
    )


def _shape(shape: Shape, one: Recording, chosen: Collection[Item]) -> Shape:
    sizes = (size for at, size in enumerate(shape.picture_bytes) if Item(one.id, PICTURE, at) in chosen)
    return replace(shape, picture_bytes=tuple(sizes), source_bytes=0)


def _part(one: Stored, chosen: Collection[Item], names: Mapping[str, str]) -> Stored | None:
    """Return a part under its new name, None where it belongs to nothing that was chosen."""
    here = names.get(one.recording)
    if here is None or one.kind == "source":
        return None
    if one.kind == "picture":
        stills = sorted(
            item.number for item in chosen if (item.recording, item.kind) == (one.recording, PICTURE)
        )
        return replace(one, recording=here, number=stills.index(one.number)) if one.number in stills else None
    wanted = (
        {Item(one.recording, CLIP)}
        if one.kind == "clip"
        else {
            Item(one.recording, SIGNAL),
            Item(one.recording, SOUND),
        }
    )
    return replace(one, recording=here) if wanted & set(chosen) else None
