"""The JSON that the desk reads, from the study's own types (docs/api.md, "Shared shapes")."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from chevet.study.case import Author, Message, Opinion
from chevet.study.recording import Measurement, QualityMark, Recording, StoredClip, Waveform
from chevet.study.shape import Shape
from chevet.study.spoken import VoiceNote
from chevet.study.study import Consent, EdgeClock, Patient, Study, Vital

Json = dict[str, Any]


def quality(mark: QualityMark) -> Json:
    """Return a Quality."""
    return {"score": mark.score, "usable": mark.usable, "reasons": list(mark.reasons)}


def patient(who: Patient) -> Json:
    """Return a Patient."""
    return {
        "id": who.id,
        "name": who.name,
        "birth_year": who.birth_year,
        "sex": who.sex,
        "local_number": who.local_number,
    }


def consent(given: Consent) -> Json:
    """Return what the patient allowed."""
    return {"purposes": list(given.purposes), "given_ms": given.given_ms, "witness": given.witness}


def clock(closed: EdgeClock) -> Json:
    """Return the box's own time of an event."""
    return {
        "wall_ms": closed.wall_ms,
        "boot_id": closed.boot_id,
        "monotonic_s": closed.monotonic_s,
        "quality": closed.quality,
    }


def vital(one: Vital) -> Json:
    """Return a Vital."""
    return {
        "kind": one.kind,
        "value": one.value,
        "unit": one.unit,
        "source": one.source,
        "at_ms": one.at_ms,
        "quality": quality(one.quality),
        "recording": one.recording,
    }


DEVICE_WORDS = ("model", "serial", "firmware", "calibrated_on", "measured_hz", "settings")
"""What a reader may want to know of the device: who it is, its last calibration, its true rate where it
claimed another, its own gain and filters."""


def recording(one: Recording, shape: Shape) -> Json:
    """Return a Recording summary from layer 0: `shape` tells how much the lossless layer holds."""
    return {
        "id": one.id,
        "step": one.step,
        "site": one.site,
        "side": one.side,
        "driver": one.driver,
        "link": one.link,
        "device": {key: one.device.get(key, "") for key in DEVICE_WORDS},
        "started_ms": one.started_ms,
        "duration_s": one.duration_s,
        "samples": max(shape.samples, default=0),
        "lost_samples": one.lost_samples,
        "gaps": [[gap.first, gap.count] for wave in one.waveforms for gap in wave.gaps],
        "quality": quality(one.quality),
        "measurements": _measurements(one.measurements),
        "readings": [
            {"kind": r.kind, "value": r.value, "unit": r.unit, "status": list(r.status)} for r in one.readings
        ],
        "accepted_poor": one.accepted_poor,
        "simulated": one.simulated,
        "channels": _channels(one),
        "streams": [
            {"unit": wave.channels[0].unit, "rate_hz": wave.channels[0].rate_hz, "names": _names(wave)}
            for wave in one.waveforms
            if wave.channels
        ],
        "pictures": _pictures(one, shape),
        "source": one.source and {"media_type": one.source.media_type, "bytes": shape.source_bytes},
        "clip": one.clip and _clip(one.clip, shape),
    }


def _names(wave: Waveform) -> list[str]:
    return [channel.name for channel in wave.channels]


def _clip(film: StoredClip, shape: Shape) -> Json:
    return {
        "media_type": film.media_type,
        "bytes": shape.clip_bytes,
        "from_s": film.from_s,
        "seconds": film.seconds,
    }


def _measurements(drafts: Iterable[Measurement]) -> list[Json]:
    return [{"kind": m.kind, "value": m.value, "unit": m.unit, "method": m.method} for m in drafts]


def _channels(one: Recording) -> list[Json]:
    return [
        {"name": c.name, "unit": c.unit, "rate_hz": c.rate_hz, "gain": c.gain, "offset": c.offset}
        for wave in one.waveforms
        for c in wave.channels
    ]


def _pictures(one: Recording, shape: Shape) -> list[Json]:
    return [
        {"media_type": p.media_type, "at_s": p.at_s, "best": p.best, "bytes": size}
        for p, size in zip(one.pictures, shape.picture_bytes, strict=True)
    ]


def age(study: Study) -> int | None:
    """Return the patient's age in years when the visit closed, by birth year alone."""
    year = study.patient.birth_year
    if year is None:
        return None
    return max(0, datetime.fromtimestamp(study.closed.wall_ms / 1000, UTC).year - year)


def author(who: Author) -> Json:
    """Return who wrote an answer."""
    return {"id": who.id, "name": who.name, "specialty": who.specialty}


def voice(note: VoiceNote | None) -> Json | None:
    """Return what is told of a voice note; its sound has an address of its own."""
    return {"id": note.id, "length_ms": note.length_ms, "bytes": note.size} if note else None


def opinion(one: Opinion, *, verified: bool) -> Json:
    """Return an Opinion."""
    return {
        "id": one.id,
        "case": one.case,
        "version": one.version,
        "impression": one.impression,
        "certainty": one.certainty,
        "advice": one.advice,
        "urgency": one.urgency,
        "transfer": one.transfer,
        "follow_up_date": one.follow_up_date,
        "medicines": [{"name": each.name, "how": each.how} for each in one.medicines],
        "voice": voice(one.voice),
        "author": author(one.author),
        "signed_ms": one.signed_ms,
        "verified": verified,
    }


def message(one: Message, *, verified: bool) -> Json:
    """Return a Message."""
    return {
        "id": one.id,
        "case": one.case,
        "kind": one.kind,
        "step": one.step,
        "site": one.site,
        "side": one.side,
        "text": one.text,
        "voice": voice(one.voice),
        "author": author(one.author),
        "at_ms": one.at_ms,
        "verified": verified,
    }
