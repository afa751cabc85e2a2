"""Checks of what comes in, and the one way this room treats gaps.

NaN marks samples that never arrived. A gap is bridged by a straight line only so that a filter can run
across it; whatever is found inside a gap is thrown away again, so that a gap never becomes signal.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chevet.signals.errors import NoSamplesError, TooShortError, WrongRateError, WrongShapeError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

LEAD_NAMES = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def check_rate(rate_hz: float, low_hz: float, high_hz: float, what: str) -> None:
    """Raise WrongRateError unless `rate_hz` lies within the limits the method was tried at."""
    if not (np.isfinite(rate_hz) and low_hz <= rate_hz <= high_hz):
        raise WrongRateError(what, float(rate_hz), low_hz, high_hz)


def one_channel(values: ArrayLike, rate_hz: float, needed_s: float, what: str) -> Floats:
    """Return `values` as float64 [n].

    Raises:
        WrongShapeError: not one-dimensional.
        TooShortError: shorter than `needed_s`.
        NoSamplesError: NaN only.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1:
        raise WrongShapeError(what, x.shape, "hand in one channel, shape [n]")
    _check_samples(x, rate_hz, needed_s, what)
    return x


def several_leads(values: ArrayLike, rate_hz: float, needed_s: float, what: str = "the ECG") -> Floats:
    """Return `values` as float64 [c, n]; one lead [n] becomes [1, n].

    Raises:
        WrongShapeError: neither [n] nor [c, n], or more channels than samples (probably transposed).
        TooShortError: shorter than `needed_s`.
        NoSamplesError: NaN only.
    """
    x = np.atleast_2d(np.asarray(values, dtype=np.float64))
    if x.ndim != 2:
        raise WrongShapeError(what, x.shape, "hand in leads as rows, shape [c, n]")
    if x.shape[0] > x.shape[1] > 0:
        raise WrongShapeError(what, x.shape, "leads are rows and samples columns; transpose the array")
    _check_samples(x, rate_hz, needed_s, what)
    return x


def _check_samples(x: Floats, rate_hz: float, needed_s: float, what: str) -> None:
    n = x.shape[-1]
    if n < max(2, int(needed_s * rate_hz)):
        raise TooShortError(what, n / rate_hz, needed_s)
    if not np.isfinite(x).any():
        raise NoSamplesError(what)


def names_of(lead_names: tuple[str, ...] | list[str] | None, count: int) -> tuple[str, ...]:
    """Return the names of `count` leads: those given, else the standard twelve, else numbers from 1."""
    if lead_names is not None:
        if len(lead_names) != count:
            remedy = f"{len(lead_names)} lead names were given; name every row once"
            raise WrongShapeError("the ECG", (count,), remedy)
        return tuple(lead_names)
    return LEAD_NAMES if count == len(LEAD_NAMES) else tuple(str(i + 1) for i in range(count))


def bridged(x: Floats) -> tuple[Floats, Mask]:
    """Return `x` [n] with gaps bridged by straight lines (ends held), and the mask of the gaps.

    Only for running a filter across a gap; callers drop what they find where the mask is set.
    """
    gap = ~np.isfinite(x)
    if not gap.any():
        return x, gap
    if gap.all():
        return np.zeros_like(x), gap
    y = x.copy()
    here = np.flatnonzero(~gap)
    y[gap] = np.interp(np.flatnonzero(gap), here, x[here])
    return y, gap


def bridged_rows(x: Floats) -> tuple[Floats, Mask]:
    """Bridge every row of `x` [c, n]; see `bridged`."""
    rows = [bridged(row) for row in x]
    return np.stack([r for r, _ in rows]), np.stack([g for _, g in rows])


def widened(mask: Mask, by: int) -> Mask:
    """Return `mask` [n] grown by `by` samples to both sides."""
    if by <= 0 or not mask.any():
        return mask
    total = np.concatenate([[0], np.cumsum(mask)])
    at = np.arange(len(mask))
    grown: Mask = total[np.minimum(at + by + 1, len(mask))] > total[np.maximum(at - by, 0)]
    return grown


def runs_of(mask: Mask) -> NDArray[np.int64]:
    """Return starts and ends (exclusive) of the runs where `mask` [n] is set, shape [k, 2]."""
    edges = np.diff(np.concatenate([[0], mask.astype(np.int8), [0]]))
    return np.stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)], axis=1).astype(np.int64)


def long_runs(mask: Mask, width: int) -> Mask:
    """Return `mask` [n] without the runs shorter than `width` samples."""
    runs = runs_of(mask)
    long = runs[runs[:, 1] - runs[:, 0] >= width]
    edges = np.zeros(len(mask) + 1, dtype=np.int8)
    edges[long[:, 0]], edges[long[:, 1]] = 1, -1  # runs never touch, so no edge falls on another
    kept: Mask = np.cumsum(edges[:-1]) > 0
    return kept


def flat_tops(y: Floats, use: Mask, width: int, beyond: float = 0.0) -> float:
    """Return the share of `y` [n] in runs of `width` and more at its very highest or lowest value.

    Ends closer than `beyond` to the median do not count.
    """
    if not use.any():
        return 0.0
    middle = float(np.median(y[use]))
    ends = [end for end in (y[use].max(), y[use].min()) if abs(end - middle) >= beyond]
    return float(sum(long_runs((y == end) & use, width).mean() for end in ends))


def windows_at(x: Floats, at: NDArray[Any], before: int, after: int) -> Floats:
    """Return x[.., at - before : at + after] for every index, shape [.., k, before + after].

    Windows that hang over an end repeat the end's sample.
    """
    grid = np.asarray(at, dtype=np.int64)[:, None] + np.arange(-before, after)
    taken: Floats = x[..., np.clip(grid, 0, x.shape[-1] - 1)]
    return taken
