"""Drafts beside a sound: S1 and S2, murmur envelope, room noise; and the lungs without the heart."""

import io
from typing import Any

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from chevet.relay.reading.waves import Floats, physical
from chevet.signals.arrays import bridged
from chevet.signals.ecg import detect_qrs
from chevet.signals.filters import band_passed
from chevet.signals.heart_sound import segment
from chevet.signals.lung_sound import without_heart
from chevet.signals.sound_view import MURMUR_BAND_HZ, murmur_envelope
from chevet.study.recording import Waveform

STATES = ("unknown", "s1", "systole", "s2", "diastole")
ENVELOPE_STEP_S = 0.02
NOISE_STEP_S = 0.25
NOISE_BAND_HZ = (400.0, 1000.0)
"""Above the heart's sounds and most breath: what is left there when nothing beats is mostly the room."""
NOISE_SHARE = 20
"""Percentile of the level inside one step: the quiet moments between sounds."""
LEAST_LEVEL_DB = -100.0
Json = dict[str, Any]


def sound_marks(waves: tuple[Waveform, ...]) -> Json:
    """Return draft states, envelope and room noise of a recording's first waveform.

    Args:
        waves: of one recording; an ECG among them guides the search for S1.

    Returns:
        Times in seconds of the sound; lists are empty where the sound is too short or says nothing.
    """
    sound, rate_hz = physical(waves[0])[0], waves[0].channels[0].rate_hz
    states = states_of(waves)
    return {
        "kind": "sound",
        "duration_s": len(sound) / rate_hz,
        "guided_by_ecg": _qrs(waves) is not None,
        "states": _runs(states, rate_hz),
        "envelope": _envelope(sound, rate_hz, states),
        "noise": _noise(sound, rate_hz),
        "method": "states of the heart cycle by their loudness and rhythm; RMS in a band",
    }


def states_of(waves: tuple[Waveform, ...]) -> NDArray[np.uint8]:
    """Return the state of the heart cycle of every sample, 0 (unknown) where nothing is clear."""
    sound, rate_hz = physical(waves[0])[0], waves[0].channels[0].rate_hz
    try:
        return segment(sound, rate_hz, _qrs(waves))
    except ValueError:
        return np.zeros(len(sound), dtype=np.uint8)


def lungs_alone(waves: tuple[Waveform, ...]) -> bytes:
    """Return a WAV file of the sound with the heart taken out, for listening only.

    Raises:
        ValueError: too short, or nothing arrived; says the remedy.
    """
    wave = waves[0]
    lung, _ = without_heart(physical(wave)[0], wave.channels[0].rate_hz, states_of(waves))
    out = io.BytesIO()
    full = 32767.0 * wave.channels[0].gain if wave.values.dtype == np.int16 else float(np.abs(lung).max())
    samples = np.clip(lung / max(full, 1e-300), -1.0, 1.0)
    sf.write(out, samples, max(round(wave.channels[0].rate_hz), 1), format="WAV", subtype="PCM_16")
    return out.getvalue()


def _qrs(waves: tuple[Waveform, ...]) -> NDArray[np.int64] | None:
    """R peaks in samples of the sound, where an ECG was recorded with it; each stream tells when it began."""
    rate_hz = waves[0].channels[0].rate_hz
    for other in waves[1:]:
        if other.channels[0].unit != "mV":
            continue
        ecg_hz = other.channels[0].rate_hz
        try:
            beats = detect_qrs(physical(other)[0], ecg_hz)
        except ValueError:
            continue
        later_s = other.later_s - waves[0].later_s
        return np.round((beats / ecg_hz + later_s) * rate_hz).astype(np.int64)
    return None


def _runs(states: NDArray[np.uint8], rate_hz: float) -> list[list[float | str]]:
    edges = np.flatnonzero(np.diff(states, prepend=255))
    ends = np.append(edges[1:], len(states))
    return [
        [round(a / rate_hz, 4), round(b / rate_hz, 4), STATES[states[a]]]
        for a, b in zip(edges.tolist(), ends.tolist(), strict=True)
        if states[a]
    ]


def _envelope(sound: Floats, rate_hz: float, states: NDArray[np.uint8]) -> Json | None:
    try:
        found = murmur_envelope(sound, rate_hz, states if states.any() else None)
    except ValueError:
        return None
    step = 4
    whole = len(found.amplitude) // step * step
    level = found.amplitude[:whole].reshape(-1, step).mean(axis=1)
    top = float(np.nanmax(level)) if np.isfinite(level).any() else 0.0
    return {
        "band_hz": list(MURMUR_BAND_HZ),
        "step_s": ENVELOPE_STEP_S,
        "level": [None if np.isnan(one) else round(float(one) / (top or 1.0), 3) for one in level],
        "cycle": None
        if found.cycle is None
        else [round(float(one) / (top or 1.0), 3) for one in found.cycle],
        "cycles": found.cycles,
    }


def _noise(sound: Floats, rate_hz: float) -> Json | None:
    """How loud it is between the sounds at 400-1000 Hz, against the recording's loudest peak."""
    low, high = NOISE_BAND_HZ
    size = round(NOISE_STEP_S * rate_hz)
    if rate_hz < 2.5 * low or len(sound) < 4 * size or np.isnan(sound).all():
        return None
    y, gap = bridged(sound)
    fast = np.abs(band_passed(y, rate_hz, low, min(high, 0.44 * rate_hz)))
    fast[gap] = np.nan
    peak = float(np.abs(y).max())
    rows = fast[: len(fast) // size * size].reshape(-1, size)
    quiet = np.array(
        [
            np.percentile(row[~np.isnan(row)], NOISE_SHARE) if not np.isnan(row).all() else np.nan
            for row in rows
        ]
    )
    level = 20 * np.log10(np.maximum(quiet / max(peak, 1e-300), 10 ** (LEAST_LEVEL_DB / 20)))
    return {
        "band_hz": [low, high],
        "step_s": NOISE_STEP_S,
        "level_db": [None if np.isnan(one) else round(float(one), 1) for one in level],
    }
