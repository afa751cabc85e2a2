"""The quality engine and the draft measurements, applied to one recording or to a live window."""

import logging
import statistics
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chevet.devices.samples import Channel, Picture, Reading
from chevet.edge.beats_beside import beats_beside
from chevet.edge.journal import Journal
from chevet.edge.pressed import pressed_for
from chevet.edge.recorded import (
    STILLS_AT_MOST,
    Judged,
    choose_stills,
    decode,
    device_words,
    physical,
    pictures_of,
    waveforms,
)
from chevet.signals.ecg import lead_swap, measure
from chevet.signals.heart_sound import heart_rate
from chevet.signals.picture import best_frame, sharpness
from chevet.signals.pleth import pulse_rate
from chevet.signals.quality import Quality, Reason, ecg_quality, picture_quality, pleth_quality, sound_quality
from chevet.study.recording import Measurement, QualityMark, Waveform

log = logging.getLogger(__name__)

NOTHING = QualityMark(0.0, usable=False, reasons=("no_signal",))
NOT_JUDGED = QualityMark(0.0, usable=False, reasons=("not_judged",))
SHORT_PART = 0.8
"""A recording shorter than this part of what was asked for is marked "cut_short" and not usable by itself."""

_NO_DOUBTS = frozenset(
    {
        "analysis_ongoing",
        "arterial_plasma",
        "arterial_whole_blood",
        "capillary_plasma",
        "capillary_whole_blood",
        "charging",
        "clock_not_set",
        "extended_display_update",
        "fast",
        "fully_qualified",
        "medium_perfusion",
        "ongoing",
        "slow",
        "smartpoint",
        "spot_check",
        "undetermined_plasma",
        "undetermined_whole_blood",
        "validated",
        "venous_plasma",
        "venous_whole_blood",
    }
)
"""Status words of instruments that say nothing against the number beside them, as do those with a value
("sequence=7")."""

_DOUBTS = {
    "early_estimate": "searching",
    "erratic": "artifact",
    "implausible": "artifact",
    "inadequate_signal": "low_perfusion",
    "non_pulsatile": "no_pulse",
    "out_of_track": "searching",
    "poor_signal": "low_perfusion",
    "questionable": "artifact",
    "questionable_pulse": "artifact",
    "sensor_disconnected": "sensor_off",
    "sensor_displaced": "sensor_off",
    "sensor_not_on_user": "sensor_off",
    "signal_irregular": "artifact",
}
"""Status words in the words of the quality engine, which screens translate; any other word stays as it is."""

NAMED_LOW_PCT = 0.15
"""Taken for "low" where an oximeter gives no index; below the 0.3 % from which `pleth_quality` warns."""
NAMED_LAST = 5
"""Numbers, about as many seconds: most of them must say so, one pulse lost in a movement does not count."""
OFF = "sensor_off"
OFF_SHARE = 0.2
"""More of the numbers than this say that no finger was there: one lost in a movement does not count."""
_OF_NO_FINGER = ("flat", "saturated", "no_pulse", "low_perfusion")
_TWELVE = frozenset(("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"))
_ST = "st_"

HEART_STEPS = ("heart_sound",)
PICTURE_STEPS = ("otoscopy", "photo")
_SOUND = ("heart_sound", "lung_sound")


def judge(journal: Journal) -> Judged:
    """Work out quality, draft measurements and stills of a whole capture.

    A fault of the engine itself must not cost the recording: then it is kept, "not_judged" and not usable.
    """
    try:
        return _judge(journal)
    except Exception:
        log.exception("capture %s: could not be judged", journal.opening.capture)
        count = len(pictures_of(journal))
        spread = np.unique(np.linspace(0, count - 1, min(count, STILLS_AT_MOST)).astype(int))
        stills = tuple(int(place) for place in spread) if count else ()
        return Judged(NOT_JUDGED, (), stills, 0 if stills else None)


def _judge(journal: Journal) -> Judged:
    step = journal.opening.step
    if step in PICTURE_STEPS:
        return _judge_pictures(pictures_of(journal), pressed_for(journal), ear=step == "otoscopy")
    laid = waveforms(journal)
    values = [reading for reading in journal.events if isinstance(reading, Reading)]
    if laid:
        main = laid[0]
        mark = _marked(step, physical(main), main.channels, values)
        mark = _short(mark, main, journal.opening.seconds)
        if step == "ecg":
            mark = swaps_named(mark, physical(main), main.channels)
        mark = _timed(mark, journal)
        beats = beats_beside(laid) if step in HEART_STEPS else None
        return Judged(mark, measurements(step, physical(main), main.channels, beats))
    return Judged(numbers_mark(values))


def live_quality(
    step: str, values: NDArray[np.float64], channels: Sequence[Channel], readings: Sequence[Reading] = ()
) -> QualityMark:
    """Judge a sliding window, float64 [channels, samples] in physical units, and the numbers beside it."""
    return _marked(step, values, channels, readings)


def live_rate(step: str, values: NDArray[np.float64], channels: Sequence[Channel]) -> float | None:
    """Return the heart rate of a sliding window in beats per minute, or None rather than a guess."""
    found = measurements(step, values, channels)
    return next((m.value for m in found if m.kind in {"heart_rate", "pulse_rate"}), None)


def picture_mark(picture: Picture, *, ear: bool = True) -> QualityMark:
    """Judge one image; of an ear, or of the skin."""
    image = decode(picture)
    return NOTHING if image is None else _mark(picture_quality(image, ear=ear))


def numbers_mark(readings: Sequence[Reading]) -> QualityMark:
    """Judge an instrument that gives numbers only: the part of them it gave without doubts of its own."""
    told = [reading for reading in readings if reading.kind != "battery"]
    if not any(reading.value is not None for reading in told):
        return NOTHING
    doubts = [_doubts(reading) for reading in told]
    good = sum(r.value is not None and not doubt for r, doubt in zip(told, doubts, strict=True))
    score = round(good / len(told), 3)
    return QualityMark(score, usable=score >= 0.5, reasons=tuple(sorted(frozenset().union(*doubts))))


def perfusion_of(readings: Sequence[Reading]) -> float | None:
    """Return what an oximeter itself says of the blood in the finger, in percent; None where it says nothing.

    Its index of the last seconds; of those that only name it low (Nonin's red light), `NAMED_LOW_PCT`.
    """
    index, _ = steady_values(readings).get("perfusion_index", (None, ""))
    if index is not None:
        return index
    told = [one for one in readings if one.kind == "spo2"][-NAMED_LAST:]
    low = sum("low_perfusion" in _doubts(one) for one in told)
    return NAMED_LOW_PCT if 2 * low > len(told) else None


def _doubts(reading: Reading) -> frozenset[str]:
    """Return what an instrument holds against its own number, in the words of the quality engine."""
    told = {word for word in reading.status if "=" not in word}
    return frozenset(_DOUBTS.get(word, word) for word in told - _NO_DOUBTS)


def measurements(
    step: str,
    values: NDArray[np.float64],
    channels: Sequence[Channel],
    beats: NDArray[np.float64] | None = None,
) -> tuple[Measurement, ...]:
    """Return the drafts that belong to this step; none where the signal is too short or absent.

    `beats` are the R peaks of an ECG recorded beside a heart sound, in samples of the sound.
    """
    rate_hz = channels[0].rate_hz
    try:
        if step == "ecg":
            drafts = measure(values, rate_hz, tuple(channel.name for channel in channels)).all()
            return tuple(Measurement(m.kind, m.value, m.unit, m.method) for m in drafts if _has_place(m.kind))
        if step in HEART_STEPS:
            per_min = heart_rate(values[0], rate_hz, beats)
            method = "heart sound" if beats is None else "heart sound and ECG"
            return (Measurement("heart_rate", _rounded(per_min), "/min", method),)
        if step == "oximetry":
            per_min = pulse_rate(values[0], rate_hz)
            return (Measurement("pulse_rate", _rounded(per_min), "/min", "pleth"),)
    except ValueError:
        # The signals say so where a signal is too short or empty: then there is nothing to draft.
        return ()
    return ()


def steady_values(readings: Sequence[Reading], last_s: float = 10.0) -> dict[str, tuple[float | None, str]]:
    """Return for each kind the median of the numbers of the last seconds, with its unit.

    None where the device gave no number then: an old number would be read as a present one. For the same
    reason what a device had stored is left out: it may be of another day, and of another person.
    """
    readings = [reading for reading in readings if "from_storage" not in reading.status]
    if not readings:
        return {}
    since = max(reading.at for reading in readings) - last_s
    recent: dict[str, list[Reading]] = {}
    for reading in readings:
        if reading.at >= since:
            recent.setdefault(reading.kind, []).append(reading)
    found: dict[str, tuple[float | None, str]] = {}
    for kind, those in recent.items():
        numbers = [reading.value for reading in those if reading.value is not None]
        found[kind] = (float(statistics.median(numbers)) if numbers else None, those[-1].unit)
    return found


def _marked(
    step: str, values: NDArray[np.float64], channels: Sequence[Channel], readings: Sequence[Reading]
) -> QualityMark:
    rate_hz = channels[0].rate_hz
    try:
        if step == "ecg":
            names = tuple(channel.name for channel in channels)
            return _mark(ecg_quality(values, rate_hz, lead_names=names))
        if step in _SOUND:
            return _mark(sound_quality(values[0], rate_hz, heart=step in HEART_STEPS))
        return _finger_off(_mark(pleth_quality(values[0], rate_hz, perfusion_of(readings))), readings)
    except ValueError:
        # Nothing arrived, or at a rate that the engine does not know.
        return NOT_JUDGED if np.isfinite(values).any() else NOTHING


def _finger_off(mark: QualityMark, readings: Sequence[Reading]) -> QualityMark:
    """Say first that the clip was off, where the device said so: a wave of no finger shows other faults."""
    told = [one for one in readings if one.kind == "spo2"]
    off = sum(OFF in _doubts(one) for one in told)
    if off <= OFF_SHARE * len(told):
        return mark
    others = tuple(reason for reason in mark.reasons if reason not in (OFF, *_OF_NO_FINGER))
    return QualityMark(min(mark.score, 1 - OFF_SHARE), usable=False, reasons=(OFF, *others))


def _has_place(kind: str) -> bool:
    """Leave out the ST level of a lead that is none of the twelve: where its electrodes lie nobody knows."""
    return not kind.startswith(_ST) or kind.removeprefix(_ST) in _TWELVE


def swaps_named(mark: QualityMark, values: NDArray[np.float64], channels: Sequence[Channel]) -> QualityMark:
    """Add the electrodes that were probably exchanged: a warning, which leaves the choice to the worker."""
    names = tuple(channel.name for channel in channels)
    try:
        swaps = lead_swap(values, channels[0].rate_hz, names)
    except ValueError:  # too short, or too few leads to tell
        return mark
    return QualityMark(
        mark.score, mark.usable, (*mark.reasons, *(str(Reason("lead_swap", str(swap))) for swap in swaps))
    )


def _mark(quality: Quality) -> QualityMark:
    reasons = tuple(str(reason) for reason in quality.reasons)
    return QualityMark(round(float(quality.score), 3), bool(quality.usable), reasons)


def _short(mark: QualityMark, waveform: Waveform, seconds: float) -> QualityMark:
    lasted = waveform.values.shape[1] / waveform.channels[0].rate_hz
    if lasted >= SHORT_PART * seconds:
        return mark
    return QualityMark(mark.score, usable=False, reasons=(*mark.reasons, "cut_short"))


def _timed(mark: QualityMark, journal: Journal) -> QualityMark:
    """Call a recording poor whose device lied about its rate: every time and rate read from it is wrong."""
    measured = device_words(journal).get("measured_hz")
    if measured is None:
        return mark
    return QualityMark(mark.score, usable=False, reasons=(*mark.reasons, f"rate_wrong:{measured}"))


def _judge_pictures(pictures: Sequence[Picture], wanted: Sequence[Sequence[int]], *, ear: bool) -> Judged:
    stills, best = choose_stills(pictures, sharpness, best_frame, wanted)
    if best is None:
        return Judged(NOTHING)
    return Judged(picture_mark(pictures[stills[best]], ear=ear), (), stills, best)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
