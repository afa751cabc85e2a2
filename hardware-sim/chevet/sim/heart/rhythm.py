"""When the atria and the ventricles of a simulated heart beat.

Sinus intervals carry respiratory arrhythmia and the slow wave of blood-pressure control at 0.1 Hz, as in
the tachogram of McSharry et al. 2003 (doi 10.1109/TBME.2003.808805), here evaluated beat by beat instead of
from a spectrum, so that the rhythm has no end. Atrial fibrillation draws independent log-normal intervals;
premature ventricular beats leave the sinus node alone and make a full compensatory pause; in complete block
atria and ventricles keep their own time.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import pi, sin

import numpy as np

from chevet.sim.heart.breath import Breath

WARM_UP_S = 6.0
"""Beats begin before time zero, so that the first sample already has a past."""
SHORTEST_S = 0.26


@dataclass(frozen=True, slots=True)
class Pace:
    """How a heart keeps time.

    Attributes:
        kind: "sinus", "fibrillation", "premature" or "block".
        rate_per_min: of the ventricles, without premature beats.
        respiratory: change of the interval with breath, as a share (half peak to peak).
        slow: the same at 0.1 Hz.
        jitter: random change of each interval, as a share; the log-normal spread in fibrillation.
        pr_s: onset of P to onset of QRS.
        premature: probability of a premature beat after a normal one.
        atrial_per_min: sinus rate in block.
    """

    kind: str
    rate_per_min: float
    respiratory: float = 0.04
    slow: float = 0.02
    jitter: float = 0.006
    pr_s: float = 0.150
    premature: float = 0.0
    atrial_per_min: float = 0.0


@dataclass(frozen=True, slots=True)
class Beat:
    """One beat of the ventricles.

    Attributes:
        qrs_s: onset of QRS.
        kind: "normal", "premature" or "escape".
        p_s: onset of the P wave that conducted, NaN without one.
        pr_s: onset of the last P within 0.4 s to that of QRS, conducted or not; NaN without one.
        rr_s: interval since the beat before.
        usual_rr_s: the same, following slowly: what the QT interval adapts to.
        stroke: share of the usual stroke volume, from how long the ventricle filled.
        vary: four draws of a unit Gaussian, for small differences from beat to beat.
    """

    qrs_s: float
    kind: str
    p_s: float
    pr_s: float
    rr_s: float
    usual_rr_s: float
    stroke: float
    vary: tuple[float, float, float, float]


@dataclass(slots=True, eq=False)
class Rhythm:
    """The beats of one heart, found as far as they are asked for and the same however that happens."""

    pace: Pace
    breath: Breath
    seed: int
    _beats: list[Beat] = field(default_factory=list[Beat])
    _beat_s: list[float] = field(default_factory=list[float])
    _p_s: list[float] = field(default_factory=list[float])
    _events: "Iterator[tuple[float, float, str]]" = field(init=False)
    _rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self._events = _EVENTS[self.pace.kind](self.pace, self.breath, np.random.default_rng((self.seed, 11)))
        self._rng = np.random.default_rng((self.seed, 12))

    def beats(self, start_s: float, stop_s: float) -> list[Beat]:
        """Return beats whose QRS begins at `start_s` or later and before `stop_s`."""
        self._reach(stop_s)
        return self._beats[bisect_left(self._beat_s, start_s) : bisect_left(self._beat_s, stop_s)]

    def p_waves(self, start_s: float, stop_s: float) -> list[float]:
        """Return onsets of all P waves in the same span, conducted or not."""
        self._reach(stop_s)
        return self._p_s[bisect_left(self._p_s, start_s) : bisect_left(self._p_s, stop_s)]

    def forget(self, before_s: float) -> None:
        """Drop what happened before `before_s`, so that a heart that beats for weeks needs little memory."""
        beats, waves = bisect_left(self._beat_s, before_s), bisect_left(self._p_s, before_s)
        beats, waves = min(beats, len(self._beats) - 1), min(waves, max(0, len(self._p_s) - 1))
        if beats > 0:
            del self._beats[:beats], self._beat_s[:beats]
        if waves > 0:
            del self._p_s[:waves]

    def _reach(self, stop_s: float) -> None:
        """Extend the lists until nothing before `stop_s` can still be missing."""
        while not self._beats or min(self._beat_s[-1], self._seen_s()) < stop_s + 0.5:
            p_s, qrs_s, kind = next(self._events)
            if p_s == p_s:
                self._p_s.append(p_s)
            if qrs_s == qrs_s:
                self._add(p_s, qrs_s, kind)

    def _seen_s(self) -> float:
        return self._beat_s[-1] if self.pace.kind == "fibrillation" or not self._p_s else self._p_s[-1]

    def _add(self, p_s: float, qrs_s: float, kind: str) -> None:
        last = self._beats[-1] if self._beats else None
        rr_s = qrs_s - last.qrs_s if last else 60 / self.pace.rate_per_min
        usual = 0.8 * last.usual_rr_s + 0.2 * rr_s if last else rr_s
        before = self._p_s[-1] if self._p_s and qrs_s - self._p_s[-1] < 0.4 else np.nan
        full = _filling(60 / self.pace.rate_per_min)
        stroke = min(1.35, _filling(rr_s) / full) * (0.8 if kind == "premature" else 1.0)
        a, b, c, d = (float(value) for value in self._rng.standard_normal(4))
        self._beats.append(Beat(qrs_s, kind, p_s, qrs_s - before, rr_s, usual, stroke, (a, b, c, d)))
        self._beat_s.append(qrs_s)


def _filling(rr_s: float) -> float:
    """Return how full the ventricle gets: exponential after systole (0.2 s), time constant 0.22 s."""
    return float(1 - np.exp(-max(rr_s - 0.2, 0.01) / 0.22))


def _interval(pace: Pace, breath: Breath, rng: np.random.Generator, at_s: float, mean_s: float) -> float:
    """Return the sinus interval that begins at `at_s`; shorter while breathing in."""
    filled = breath.filled(at_s)
    change = -2 * pace.respiratory * (filled - 0.4) + pace.slow * sin(2 * pi * 0.1 * at_s)
    return max(SHORTEST_S, mean_s * (1 + change + pace.jitter * float(rng.standard_normal())))


def _sinus(pace: Pace, breath: Breath, rng: np.random.Generator) -> Iterator[tuple[float, float, str]]:
    p_s, mean_s, just_premature = -WARM_UP_S, 60 / pace.rate_per_min, False
    while True:
        rr_s = _interval(pace, breath, rng, p_s, mean_s)
        qrs_s = p_s + pace.pr_s * (1 + 0.015 * rng.standard_normal())
        yield p_s, qrs_s, "normal"
        p_s += rr_s
        if not just_premature and rng.random() < pace.premature:
            early_s = qrs_s + rr_s * rng.uniform(0.60, 0.68)
            hidden = (p_s, np.nan, "")
            early = (np.nan, early_s, "premature")
            yield from (early, hidden)  # the sinus node fires on time, but the ventricle cannot answer
            p_s += _interval(pace, breath, rng, p_s, mean_s)
            just_premature = True
        else:
            just_premature = False


def _fibrillation(pace: Pace, breath: Breath, rng: np.random.Generator) -> Iterator[tuple[float, float, str]]:
    """Independent intervals, as a node bombarded at random conducts; a floor for its refractory time."""
    del breath  # no sinus node listens to it
    qrs_s, mean_s = -WARM_UP_S, 60 / pace.rate_per_min
    while True:
        yield np.nan, qrs_s, "normal"
        qrs_s += max(0.34, mean_s * float(np.exp(pace.jitter * rng.standard_normal() - pace.jitter**2 / 2)))


def _block(pace: Pace, breath: Breath, rng: np.random.Generator) -> Iterator[tuple[float, float, str]]:
    p_s, qrs_s, mean_s = -WARM_UP_S, -WARM_UP_S + 0.3, 60 / pace.rate_per_min
    while True:
        if p_s < qrs_s:
            yield p_s, np.nan, ""
            p_s += _interval(pace, breath, rng, p_s, 60 / pace.atrial_per_min)
        else:
            yield np.nan, qrs_s, "escape"
            qrs_s += mean_s * (1 + 0.008 * rng.standard_normal())


_EVENTS = {"sinus": _sinus, "premature": _sinus, "fibrillation": _fibrillation, "block": _block}
