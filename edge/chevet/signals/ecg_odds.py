"""What the second pass of QRS detection looks at: every candidate against the beats of its recording.

Two bands are looked at: 8-28 Hz, where the QRS stands out of P and T, and 16-45 Hz, where it stands out of
the slow edges that a moving electrode makes. In each, a candidate is compared with the running level of the
beats around it, with what is no beat around it, and with the usual shapes of the whole recording, which are
taken from its calmest beats; so a noisy stretch is judged by what the patient's beats look like elsewhere.
All inputs are ratios: scale and offset of the ECG do not matter.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from chevet.signals.arrays import Floats, Indices, Mask, windows_at
from chevet.signals.ecg_shapes import usual_shapes
from chevet.signals.filters import zero_phase

SHARP_HZ = (16.0, 45.0)
_HALF_S, _SHARP_HALF_S, _LAG_S = 0.08, 0.045, 0.03
_CENTRE_S = 0.05
_FLOOR_S, _FLOOR_STEP_S, _FLOOR_SHARE = 2.0, 0.05, 40
_AROUND_BEATS, _AROUND_OTHERS = 15, 21
_LOCAL_BEATS = 8  # to both sides
_RIVALS_S = ((0.0, 0.16), (0.16, 0.36), (0.36, 0.60))
_RIVAL_RANKS = 6
_LEAST = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One band's view of the candidates.

    Attributes:
        height: of the band's feature at each candidate [k].
        floor: quiet level of the feature over the 2 s around it [k].
        wide: the band's signal around it with room for lags, [k, w + 2 lag].
        lag: samples of room to each side.
    """

    height: Floats
    floor: Floats
    wide: Floats
    lag: int

    @property
    def own(self) -> Floats:
        """The signal around each candidate, [k, w]."""
        return self.wide[:, self.lag : self.wide.shape[1] - self.lag]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Peaks of the detection feature, and what does not depend on which of them are beats.

    Attributes:
        at: indices [k], ascending.
        centre: where the signal of the first band is largest, indices [k].
        rate_hz: rate of the indices.
        main, sharp: the two bands.
        rivals: log height of the tallest neighbour in each stretch before and after, against the own [k, 6].
    """

    at: Indices
    centre: Indices
    rate_hz: float
    main: Look
    sharp: Look
    rivals: Floats

    @property
    def at_s(self) -> Floats:
        """Seconds."""
        seconds: Floats = self.at / self.rate_hz
        return seconds


def sharp_band(y: Floats, rate_hz: float) -> Floats:
    """Return `y` [n] at 16-45 Hz, zero-phase."""
    return zero_phase(y, rate_hz, 2, (SHARP_HZ[0], min(SHARP_HZ[1], 0.42 * rate_hz)), int(rate_hz))


def looked_at(fast: Floats, feature: Floats, sharp: Floats, at: Indices, rate_hz: float) -> Candidates:
    """Gather what the choice needs of every candidate.

    Args:
        fast: ECG at 8-28 Hz [n].
        feature: slope energy [n].
        sharp: ECG at 16-45 Hz [n].
        at: candidates [k].
        rate_hz: rate of all of them.
    """
    reach = int(_CENTRE_S * rate_hz)
    centre = at + np.argmax(windows_at(np.abs(fast), at, reach, reach + 1), axis=1) - reach
    centre = np.clip(centre, 0, len(fast) - 1)
    lag = max(1, int(_LAG_S * rate_hz))
    height = np.maximum(feature[at], _LEAST)
    width = max(3, int(0.06 * rate_hz))
    keen = np.sqrt(np.maximum(ndimage.uniform_filter1d(sharp**2, width, mode="nearest"), 0))
    near = int(_LAG_S * rate_hz)
    keen_height = np.maximum(windows_at(keen, centre, near, near + 1).max(1), _LEAST)
    main = Look(height, _floor(feature, at, rate_hz), _around(fast, centre, _HALF_S, lag, rate_hz), lag)
    other = Look(
        keen_height, _floor(keen, at, rate_hz), _around(sharp, centre, _SHARP_HALF_S, lag, rate_hz), lag
    )
    return Candidates(at, centre, rate_hz, main, other, _rivals(height, at, rate_hz))


def _around(band: Floats, centre: Indices, half_s: float, lag: int, rate_hz: float) -> Floats:
    reach = int(half_s * rate_hz) + lag
    return windows_at(band, centre, reach, reach + 1)


def _floor(feature: Floats, at: Indices, rate_hz: float) -> Floats:
    """Quiet level of a feature around every candidate: a low quantile over 2 s."""
    every = max(1, int(_FLOOR_STEP_S * rate_hz))
    coarse = feature[: len(feature) // every * every].reshape(-1, every).mean(1)
    size = min(int(_FLOOR_S / _FLOOR_STEP_S) + 1, len(coarse))
    low = ndimage.percentile_filter(coarse, _FLOOR_SHARE, size=size, mode="nearest")
    floor: Floats = np.maximum(low[np.minimum(at // every, len(low) - 1)], _LEAST)
    return floor


def _rivals(height: Floats, at: Indices, rate_hz: float) -> Floats:
    """Log height of the tallest neighbour in each stretch before and after, against the own height."""
    found = np.full((2 * len(_RIVALS_S), len(at)), _LEAST)
    for rank in range(1, min(_RIVAL_RANKS, len(at) - 1) + 1):
        apart = (at[rank:] - at[:-rank]) / rate_hz
        for i, (near, far) in enumerate(_RIVALS_S):
            inside = (apart > near) & (apart <= far)
            before, after = found[i], found[i + len(_RIVALS_S)]
            before[rank:] = np.maximum(before[rank:], np.where(inside, height[:-rank], _LEAST))
            after[:-rank] = np.maximum(after[:-rank], np.where(inside, height[rank:], _LEAST))
    rivals: Floats = np.clip(np.log(found / height), -4, 2).T
    return rivals


def odds_inputs(seen: Candidates, chosen: Mask) -> Floats:
    """Return what the model of `chevet.signals.ecg_choice` is fed, shape [k, 26].

    Args:
        seen: the candidates.
        chosen: which of them are taken for beats so far, at least 4.
    """
    main, sharp, at = seen.main, seen.sharp, seen.at
    level, others = _levels(main.height, at, chosen)
    keen_level, keen_others = _levels(sharp.height, at, chosen)
    quiet = np.clip(np.log(main.floor / level), -5, 0)
    calm = chosen & (quiet <= np.quantile(quiet[chosen], 0.5) + 0.3)
    size = np.maximum(np.linalg.norm(main.own, axis=1), _LEAST)
    unit = main.own / size[:, None]
    like, agreed = _local_likeness(unit, at, chosen)
    usual = usual_shapes(main.own, calm)
    best, amount, common = usual.compared(main.wide)
    keen_best, keen_amount, _ = usual_shapes(sharp.own, calm).compared(sharp.wide)
    rest = np.sqrt(np.maximum(1 - best**2, 1e-4)) * size / np.median(size[chosen])
    named = (
        np.clip(np.log(main.height / level), -3, 1.5),
        np.clip(np.log(main.height / others), -1, 4),
        np.clip(np.log(main.height / main.floor), -1, 5),
        keen_best,
        keen_amount,
        np.clip(np.log(sharp.height / keen_level), -3, 1.5),
        np.clip(np.log(sharp.floor / keen_level), -5, 0),
        np.clip(np.log(keen_others / keen_level), -4, 0.5),
        np.clip(np.log(sharp.height / sharp.floor), -1, 5),
        np.clip(np.log(sharp.height / keen_others), -1, 4),
        np.clip(np.log(others / level), -4, 0.5),
        quiet,
        like,
        agreed,
        best,
        amount,
        common,
        np.clip(np.log(np.maximum(rest, _LEAST)), -4, 1.5),
        _bluntness(main.own, size, at, chosen),
        np.clip(np.log(level / np.median(main.height[chosen])), -2, 2),
    )
    return np.column_stack([*named, seen.rivals])


def _levels(height: Floats, at: Indices, chosen: Mask) -> tuple[Floats, Floats]:
    """Running medians of the heights of beats and of what is no beat."""
    level = _running(height, at, chosen, _AROUND_BEATS)
    if (~chosen).sum() > 2:
        return level, _running(height, at, ~chosen, _AROUND_OTHERS)
    return level, 0.1 * level


def _running(values: Floats, at: Indices, some: Mask, count: int) -> Floats:
    """Running median of some candidates' values, carried to every candidate."""
    size = min(count, int(some.sum()))
    middle = ndimage.median_filter(values[some], size=size, mode="nearest")
    carried: Floats = np.interp(at, at[some], middle)
    return np.maximum(carried, _LEAST)


def _local_likeness(unit: Floats, at: Indices, chosen: Mask) -> tuple[Floats, Floats]:
    """Correlation with the mean shape of the beats around, and how well those agree with each other."""
    total = np.concatenate([np.zeros((1, unit.shape[1])), np.cumsum(unit[chosen], axis=0)])
    rank = np.searchsorted(at[chosen], at)
    low = np.maximum(rank - _LOCAL_BEATS, 0)
    high = np.minimum(rank + _LOCAL_BEATS + 1, int(chosen.sum()))
    mean = total[high] - total[low] - chosen[:, None] * unit  # never compared with itself
    size = np.linalg.norm(mean, axis=1)
    like = np.einsum("ij,ij->i", unit, mean) / np.maximum(size, _LEAST)
    return like, size / np.maximum(high - low, 1)


def _bluntness(own: Floats, size: Floats, at: Indices, chosen: Mask) -> Floats:
    """Log of speed against that of the beats around; T waves and electrode edges are slower."""
    speed = np.maximum(np.linalg.norm(np.diff(own, axis=1), axis=1) / size, 1e-6)
    blunt: Floats = np.clip(np.log(speed / _running(speed, at, chosen, _AROUND_BEATS)), -2, 2)
    return blunt
