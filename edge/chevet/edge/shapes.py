"""The JSON shapes of docs/api.md, made from the agent's own types."""

from dataclasses import asdict
from typing import Any

from chevet.devices.samples import Reading
from chevet.edge.instruments import Instrument
from chevet.edge.visits import CaptureRow, Visit
from chevet.study.recording import QualityMark, Recording
from chevet.study.study import Patient, Vital

DEVICE_WORDS = ("model", "serial", "firmware", "calibrated_on", "measured_hz", "settings")
"""What a recording says of its device; the last is there only where the device lied about its rate."""


def quality_shape(quality: QualityMark) -> dict[str, Any]:
    """Return Quality."""
    return {"score": quality.score, "usable": quality.usable, "reasons": list(quality.reasons)}


def reading_shape(reading: Reading) -> dict[str, Any]:
    """Return Reading."""
    return {
        "kind": reading.kind,
        "value": reading.value,
        "unit": reading.unit,
        "status": list(reading.status),
    }


def vital_shape(vital: Vital) -> dict[str, Any]:
    """Return Vital."""
    return asdict(vital) | {"quality": quality_shape(vital.quality)}


def patient_shape(patient: Patient) -> dict[str, Any]:
    """Return Patient."""
    return asdict(patient)


def recording_shape(recording: Recording) -> dict[str, Any]:
    """Return Recording: a summary without samples."""
    return {
        "id": recording.id,
        "step": recording.step,
        "site": recording.site,
        "side": recording.side,
        "driver": recording.driver,
        "link": recording.link,
        "device": {key: recording.device.get(key, "") for key in DEVICE_WORDS},
        "started_ms": recording.started_ms,
        "duration_s": recording.duration_s,
        "samples": max((waveform.values.shape[1] for waveform in recording.waveforms), default=0),
        "lost_samples": recording.lost_samples,
        "gaps": [[gap.first, gap.count] for waveform in recording.waveforms[:1] for gap in waveform.gaps],
        "quality": quality_shape(recording.quality),
        "measurements": [asdict(measurement) for measurement in recording.measurements],
        "readings": [reading_shape(reading) for reading in last_of_each(recording.readings)],
        "accepted_poor": recording.accepted_poor,
        "simulated": recording.simulated,
        "channels": [asdict(channel) for waveform in recording.waveforms for channel in waveform.channels],
        "pictures": [
            {"media_type": p.media_type, "at_s": p.at_s, "best": p.best, "bytes": len(p.data)}
            for p in recording.pictures
        ],
    }


def last_of_each(readings: tuple[Reading, ...]) -> list[Reading]:
    """Return the newest reading of each kind: screens show one number, the recording keeps all."""
    return list({reading.kind: reading for reading in readings}.values())


def capture_shape(capture: CaptureRow) -> dict[str, Any]:
    """Return Capture."""
    return {
        "id": capture.id,
        "visit": capture.visit,
        "step": capture.step,
        "site": capture.site,
        "side": capture.side,
        "device": capture.device,
        "state": capture.state,
        "problem": capture.problem,
        "elapsed_s": round(capture.elapsed_s, 2),
        "seconds": capture.seconds,
        "recording": summary_of(capture),
    }


def summary_of(capture: CaptureRow) -> dict[str, Any] | None:
    """Return a capture's recording as decided on: marked poor, with the worker's best picture."""
    if capture.summary is None:
        return None
    pictures = [
        picture | {"best": place == capture.best if capture.best is not None else picture["best"]}
        for place, picture in enumerate(capture.summary["pictures"])
    ]
    return capture.summary | {"accepted_poor": capture.poor, "pictures": pictures}


def visit_shape(
    visit: Visit, patient: Patient, captures: list[CaptureRow], running: CaptureRow | None, label: str
) -> dict[str, Any]:
    """Return Visit; `running` is the capture in progress, or the one that waits for a decision."""
    words = visit.words
    return {
        "id": visit.id,
        "patient": patient_shape(patient),
        "state": "closed" if visit.state == "closing" else visit.state,
        "created_ms": visit.created_ms,
        "reason": words.reason,
        "question": words.question,
        "specialty": words.specialty,
        "urgency": words.urgency,
        "language": words.language,
        "red_flags": None if words.red_flags is None else list(words.red_flags),
        "screen": words.screen,
        "consent": asdict(words.consent) if words.consent else None,
        "recordings": [summary_of(capture) for capture in captures if capture.verdict == "accepted"],
        "vitals": [vital_shape(vital) for vital in words.vitals],
        "skips": [asdict(skip) for skip in words.skips],
        "tries": words.tries,
        "capture": capture_shape(running) if running else None,
        "path": words.path,
        "history": words.history,
        "continues": asdict(words.continues) if words.continues else None,
        "override": words.override,
        "label": label,
        "training": bool(words.training),
    }


def device_shape(instrument: Instrument, now_ms: int, now: float, label: str) -> dict[str, Any]:
    """Return Device; `now_ms` and `now` are the same moment on the wall and on the monotonic clock."""
    at = instrument.last_packet_at
    return {
        "id": instrument.id,
        "instrument": instrument.kind,
        "driver": instrument.settings.driver,
        "link": instrument.scheme,
        "origin": "found" if instrument.found else "settings",
        "state": instrument.state,
        **instrument.identity,
        "battery_pct": instrument.battery_pct,
        "rates": instrument.rates,
        "measured_hz": _rounded(instrument.rate.measured_hz),
        "rate_wrong": instrument.rate.wrong,
        "lost_samples": instrument.lost_samples,
        "bad_frames": instrument.bad_frames,
        "clock_offset_s": instrument.clock_offset_s,
        "last_packet_ms": None if at is None else now_ms - round((now - at) * 1000),
        "problem": instrument.problem,
        "calibrated_on": instrument.calibrated_on,
        "simulated": instrument.simulated or bool(label),
        "training": instrument.settings.training,
    }


def _rounded(rate_hz: float | None) -> float | None:
    return None if rate_hz is None else round(rate_hz, 2)
