"""Display filters of the ECG and listening filters of sound; stored samples are never touched.

Batch filters run forward and backward (zero phase), live ones causally with a stated delay. A filter's
`label` is what is printed beside the trace it touched.

Sources: bandwidth 0.05-150 Hz and the impulse test (3 mV for 100 ms, undershoot at most 0.1 mV) are those of
IEC 60601-2-25 and ANSI/AAMI EC11; a single-pole high-pass at 0.05 Hz passes it, see tests. 40 Hz is a
labelled view.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy import signal

from chevet.signals.arrays import (
    Floats,
    bridged,
    bridged_rows,
    check_rate,
    one_channel,
    runs_of,
    several_leads,
)
from chevet.signals.errors import WrongShapeError

MAINS_HZ = (50.0, 60.0)
_NOTCH_Q = (
    30.0  # 50 Hz +- 0.8 Hz: narrow enough to leave the QRS, wide enough for a mains that drifts by 0.5 Hz
)


@dataclass(frozen=True, slots=True)
class Band:
    """A pass band of the ECG, in Hz."""

    low_hz: float
    high_hz: float


DIAGNOSTIC = Band(0.05, 150.0)
MONITOR = Band(0.5, 40.0)


def label(band: Band, mains_hz: float | None = None) -> str:
    """Return the words printed beside a filtered trace, such as "0.05-150 Hz, notch 50 Hz"."""
    notch = f", notch {mains_hz:g} Hz" if mains_hz else ""
    return f"{band.low_hz:g}-{band.high_hz:g} Hz{notch}"


def find_mains(leads: ArrayLike, rate_hz: float) -> float | None:
    """Find which mains frequency hums in an ECG.

    Args:
        leads: mV, shape [c, n] or [n], at least 2 s.
        rate_hz: sampling rate; the frequency must lie below half of it.

    Returns:
        50.0 or 60.0, or None where neither stands out of its neighbourhood (10 times the median power within
        +-6 Hz) with at least 2 µV RMS.

    Raises:
        ValueError: empty, too short, wrong shape or NaN only; says the remedy.
    """
    x, _ = bridged_rows(several_leads(leads, rate_hz, 2.0))
    best: tuple[float, float | None] = (0.0, None)
    for mains_hz in MAINS_HZ:
        rms, ratio = hum(x, rate_hz, mains_hz)
        if ratio > 10 and rms > max(0.002, best[0]):
            best = (rms, mains_hz)
    return best[1]


def hum(leads: Floats, rate_hz: float, mains_hz: float) -> tuple[float, float]:
    """Return the RMS (unit of the input) at `mains_hz` in the worst lead, and its ratio to the neighbourhood.

    Args:
        leads: without gaps, shape [c, n].
        rate_hz: sampling rate.
        mains_hz: the frequency asked for.
    """
    rms, ratio = hum_of_each(leads, rate_hz, mains_hz)
    worst = int(np.argmax(rms))
    return float(rms[worst]), float(ratio[worst])


def hum_of_each(leads: Floats, rate_hz: float, mains_hz: float) -> tuple[Floats, Floats]:
    """Return `hum` of every lead: RMS and ratio, each of shape [c]."""
    n = leads.shape[-1]
    if mains_hz + 6 >= rate_hz / 2:
        return np.zeros(len(leads)), np.zeros(len(leads))
    window = np.hanning(n)
    power = np.abs(np.fft.rfft((leads - leads.mean(-1, keepdims=True)) * window)) ** 2
    power *= 2 / (n * np.sum(window**2))
    f = np.fft.rfftfreq(n, 1 / rate_hz)
    half = max(0.8, 2.5 * rate_hz / n)  # the main lobe of the window on short records
    inside = np.abs(f - mains_hz) <= half
    around = (np.abs(f - mains_hz) <= 6 + half) & ~inside
    floor = np.median(power[:, around], -1) * inside.sum()
    peak = power[:, inside].sum(-1)
    return np.sqrt(np.maximum(peak - floor, 0)), peak / np.maximum(floor, 1e-18)


def ecg_display(
    leads: ArrayLike, rate_hz: float, band: Band = DIAGNOSTIC, mains_hz: float | None = None
) -> Floats:
    """Filter an ECG for display or measurement with zero phase.

    Single-pole high-pass and second-order Butterworth low-pass, each run forward and backward; so the corner
    attenuates by 6 dB, and the impulse test's undershoot is half that of the causal filter.

    Args:
        leads: mV, shape [c, n] or [n], at least 1 s; NaN where nothing arrived.
        rate_hz: 100 to 4000. The low-pass is left out where it would lie above 0.45 of the rate.
        band: pass band.
        mains_hz: notch frequency, or None.

    Returns:
        Same shape as `leads`, mV; NaN stays NaN.

    Raises:
        ValueError: empty, too short, wrong shape, NaN only, or a rate out of range; says the remedy.
    """
    check_rate(rate_hz, 100, 4000, "the ECG")
    x = several_leads(leads, rate_hz, 1.0)
    y, gap = bridged_rows(x)
    middle = np.median(y, axis=-1, keepdims=True)
    y = y - middle
    if mains_hz:
        y = _without_steady_hum(y, rate_hz, mains_hz)  # or the ends' padding would break its phase
    for sos in _ecg_sections(rate_hz, band, mains_hz):
        pad = min(y.shape[-1] - 1, int(3.2 * rate_hz))
        y = signal.sosfiltfilt(sos, y, axis=-1, padtype="odd", padlen=pad)
    y[gap] = np.nan
    shaped: Floats = y.reshape(np.shape(leads))
    return shaped


def _without_steady_hum(y: Floats, rate_hz: float, mains_hz: float) -> Floats:
    """Return `y` [c, n] less the sinusoid at the mains frequency that fits each lead best."""
    turn = 2 * np.pi * mains_hz / rate_hz * np.arange(y.shape[-1])
    basis = np.stack([np.cos(turn), np.sin(turn)])
    fit: Floats = y - (y @ basis.T) @ np.linalg.pinv(basis @ basis.T) @ basis
    return fit


def _ecg_sections(rate_hz: float, band: Band, mains_hz: float | None) -> list[Floats]:
    # Hum goes first: the slow high-pass would carry what it leaves at the ends far into the record.
    sections = []
    if mains_hz and mains_hz < 0.45 * rate_hz:
        sections.append(signal.tf2sos(*signal.iirnotch(mains_hz, _NOTCH_Q, fs=rate_hz)))
    if band.high_hz < 0.45 * rate_hz:
        sections.append(signal.butter(2, band.high_hz, "low", fs=rate_hz, output="sos"))
    sections.append(signal.butter(1, band.low_hz, "high", fs=rate_hz, output="sos"))
    return sections


class LiveEcgFilter:
    """The causal form of `ecg_display` for live traces; any block sizes give the same samples.

    After a gap (NaN) the filter starts anew at the first sample that arrives.

    Attributes:
        delay_s: group delay at 10 Hz, where the QRS has most of its energy; state it beside the live trace.
        label: words to print beside the trace.
    """

    def __init__(
        self, rate_hz: float, channels: int, band: Band = DIAGNOSTIC, mains_hz: float | None = None
    ) -> None:
        check_rate(rate_hz, 100, 4000, "the ECG")
        self._sos = np.concatenate(_ecg_sections(rate_hz, band, mains_hz))
        self._rest = signal.sosfilt_zi(self._sos)
        self._state: list[Floats | None] = [None] * channels
        self.label = label(band, mains_hz)
        self.delay_s = _group_delay_s(self._sos, 10.0, rate_hz)

    def feed(self, block: ArrayLike) -> Floats:
        """Filter the next samples, shape [channels, n] in mV; NaN stays NaN."""
        x = np.asarray(block, dtype=np.float64)
        if x.ndim != 2 or x.shape[0] != len(self._state):
            raise WrongShapeError("the block", x.shape, f"hand in {len(self._state)} rows, one per lead")
        under_way = [state for state in self._state if state is not None]
        if x.shape[1] and len(under_way) == len(x) and np.isfinite(x).all():  # all at once: much faster
            y, last = signal.sosfilt(self._sos, x, axis=-1, zi=np.stack(under_way, axis=1))
            self._state = list(np.moveaxis(last, 1, 0))
            whole: Floats = y
            return whole
        return np.stack([self._feed_lead(i, row) for i, row in enumerate(x)])

    def _feed_lead(self, lead: int, x: Floats) -> Floats:
        y = np.full(len(x), np.nan)
        here = np.isfinite(x)
        for start, end in runs_of(here):
            state = self._state[lead] if start == 0 else None
            if state is None:
                state = self._rest * x[start]
            y[start:end], state = signal.sosfilt(self._sos, x[start:end], zi=state)
            self._state[lead] = state
        if len(x) and not here[-1]:
            self._state[lead] = None
        return y


def _group_delay_s(sos: Floats, at_hz: float, rate_hz: float) -> float:
    _, response = signal.sosfreqz(sos, worN=np.array([at_hz - 0.5, at_hz + 0.5]), fs=rate_hz)
    return float(-np.diff(np.unwrap(np.angle(response)))[0] / (2 * np.pi))


# Bell and diaphragm are the ranges that electronic stethoscopes raise under these names (3M Littmann 3200:
# 20-200 and 100-500 Hz); wide is all that a chest gives.
LISTENING = {"bell": Band(20, 200), "diaphragm": Band(100, 500), "wide": Band(20, 2000)}


def listening(sound: ArrayLike, rate_hz: float, name: str) -> Floats:
    """Filter a sound for listening with zero phase; the stored sound is not touched.

    Butterworth of second order, forward and backward: 6 dB down at the corners, 24 dB an octave beyond. The
    upper corner is left out where it would lie above 0.45 of the rate ("wide" below 4.4 kHz).

    Args:
        sound: linear, shape [n], at least 0.1 s; NaN (nothing arrived) becomes silence in the output.
        rate_hz: 1000 to 48000.
        name: "bell" (20-200 Hz), "diaphragm" (100-500 Hz) or "wide" (20-2000 Hz).

    Returns:
        Shape [n], unit of the sound.

    Raises:
        ValueError: no such filter, empty, too short, not one channel, NaN only, or a rate out of range; says
            the remedy.
    """
    check_rate(rate_hz, 1000, 48000, "the sound")
    if name not in LISTENING:
        raise ValueError(f"no listening filter {name!r}; choose one of {', '.join(LISTENING)}")
    x, gap = bridged(one_channel(sound, rate_hz, 0.1, "the sound"))
    band = LISTENING[name]
    y = band_passed(x, rate_hz, band.low_hz, band.high_hz, order=2)
    y[gap] = 0.0
    return y


def band_passed(x: Floats, rate_hz: float, low_hz: float, high_hz: float, order: int = 2) -> Floats:
    """Return `x` [.., n] (no gaps) band-passed with zero phase; high-pass only above 0.45 of the rate."""
    pad = int(3 * rate_hz / low_hz)
    top = high_hz if high_hz < 0.45 * rate_hz else None
    return zero_phase(x - x.mean(-1, keepdims=True), rate_hz, order, (low_hz, top), pad)


def zero_phase(
    x: Floats, rate_hz: float, order: int, corners_hz: tuple[float | None, float | None], pad: int
) -> Floats:
    """Run a Butterworth filter forward and backward.

    The same as SciPy's `sosfiltfilt` with odd padding; but a filter is designed once and remembered, for its
    design takes longer than its use on some seconds of signal.

    Args:
        x: shape [.., n], no gaps.
        rate_hz: sampling rate.
        order: of the filter; both runs together have twice its slope.
        corners_hz: low and high; None leaves that side open.
        pad: samples by which the ends are mirrored, n - 1 at most.
    """
    sos, rest = _designed(rate_hz, order, corners_hz)
    pad = min(pad, x.shape[-1] - 1)
    first, last = x[..., :1], x[..., -1:]
    longer = np.concatenate(
        [2 * first - x[..., pad:0:-1], x, 2 * last - x[..., -2 : -(pad + 2) : -1]], axis=-1
    )
    rest = rest.reshape(len(sos), *([1] * (x.ndim - 1)), 2)
    y, _ = signal.sosfilt(sos, longer, zi=rest * longer[..., :1])
    y, _ = signal.sosfilt(sos, y[..., ::-1], zi=rest * y[..., -1:])
    back: Floats = y[..., ::-1][..., pad : pad + x.shape[-1]]
    return back


@lru_cache(maxsize=128)
def _designed(
    rate_hz: float, order: int, corners_hz: tuple[float | None, float | None]
) -> tuple[Floats, Floats]:
    """Return the sections, and their state at rest at a level of 1; callers leave both as they are."""
    low, high = corners_hz
    if low is not None and high is not None:
        sos = signal.butter(order, [low, high], "band", fs=rate_hz, output="sos")
    elif low is not None:
        sos = signal.butter(order, low, "high", fs=rate_hz, output="sos")
    elif high is not None:
        sos = signal.butter(order, high, "low", fs=rate_hz, output="sos")
    else:
        raise ValueError("a filter needs a low or a high corner; give one of them")
    return sos, signal.sosfilt_zi(sos)
