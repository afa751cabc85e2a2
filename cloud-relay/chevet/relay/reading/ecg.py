"""Draft marks on an ECG: where each wave begins, peaks and ends, and which electrodes look exchanged."""

from dataclasses import fields
from typing import Any

from chevet.relay.reading.waves import leads
from chevet.signals.ecg import Delineation, delineate, lead_swap
from chevet.signals.ecg_measure import beats_of
from chevet.study.recording import Waveform

METHOD = "delineation over all leads together"
Json = dict[str, Any]


def ecg_marks(wave: Waveform) -> Json:
    """Return the waves of every beat in samples of `wave`, -1 where one is absent, and the swaps.

    A signal too short or too poor gives no marks: a draft that would be a guess is left out.
    """
    names, values = leads(wave)
    rate_hz = wave.channels[0].rate_hz
    try:
        found = delineate(values, rate_hz, beats_of(values, rate_hz, names))
        waves = {field.name: getattr(found, field.name).tolist() for field in fields(Delineation)}
    except ValueError:
        waves = {field.name: [] for field in fields(Delineation)}
    return {
        "kind": "ecg",
        "rate_hz": rate_hz,
        "method": METHOD,
        "waves": waves,
        "swaps": _swaps(wave),
    }


def _swaps(wave: Waveform) -> list[Json]:
    names, values = leads(wave)
    try:
        found = lead_swap(values, wave.channels[0].rate_hz, names)
    except ValueError:
        return []
    return [{"electrodes": list(one.electrodes), "confidence": round(one.confidence, 2)} for one in found]
