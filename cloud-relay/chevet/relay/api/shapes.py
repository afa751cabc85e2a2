"""The JSON that the desk reads, from the study's own types (docs/api.md, "Shared shapes")."""

from collections.abc import Iterable
from typing import Any

from chevet.study.recording import Measurement, QualityMark, Recording
from chevet.study.study import Consent, EdgeClock, Patient, Vital

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


def recording(one: Recording) -> Json:
    """Return a Recording summary, without samples and pictures' bytes."""
    return {
        "id": one.id,
        "step": one.step,
        "site": one.site,
        "side": one.side,
        "driver": one.driver,
        "link": one.link,
        "device": {key: one.device.get(key, "") for key in ("model", "serial", "firmware")},
        "started_ms": one.started_ms,
        "duration_s": one.duration_s,
        "samples": max((int(wave.values.shape[1]) for wave in one.waveforms), default=0),
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
        "pictures": _pictures(one),
    }


def _measurements(drafts: Iterable[Measurement]) -> list[Json]:
    return [{"kind": m.kind, "value": m.value, "unit": m.unit, "method": m.method} for m in drafts]


def _channels(one: Recording) -> list[Json]:
    return [
        {"name": c.name, "unit": c.unit, "rate_hz": c.rate_hz, "gain": c.gain, "offset": c.offset}
        for wave in one.waveforms
        for c in wave.channels
    ]


def _pictures(one: Recording) -> list[Json]:
    return [
        {"media_type": p.media_type, "at_s": p.at_s, "best": p.best, "bytes": len(p.data)}
        for p in one.pictures
    ]
