"""Limb leads that follow from I and II: Einthoven's and Goldberger's identities in integers."""

from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from chevet.study.recording import StoredSamples

Wider = NDArray[np.int32] | NDArray[np.int64]


def _floor(x: Wider) -> Wider:
    return x >> 1


def _toward_zero(x: Wider) -> Wider:
    return (x + (x < 0)) >> 1


def _half_to_even(x: Wider) -> Wider:
    return (x + (x >> 1 & 1)) >> 1


HALVINGS: Final = (_floor, _toward_zero, _half_to_even)
"""How an instrument may have halved an odd integer; the index travels in the flags."""


def predicted(rows: StoredSamples, halving: int) -> StoredSamples:
    """Return III, aVR, aVL, aVF from I and II (Einthoven, Goldberger), wrapped to the width of `rows`."""
    wider = np.int32 if rows.dtype == np.int16 else np.int64
    one, two = rows[0].astype(wider), rows[1].astype(wider)
    half = HALVINGS[halving]
    limb = np.stack([two - one, half(-one - two), half(2 * one - two), half(2 * two - one)])
    return cast("StoredSamples", limb.astype(rows.dtype))


def without_limb_leads(samples: StoredSamples) -> tuple[int | None, StoredSamples]:
    """Return which halving it was and the rows to store.

    None and the rows as they are, unless prediction makes them smaller.
    """
    if samples.shape[0] < 6:
        return None, samples
    stored = samples.copy()
    best: int = _energy(np.diff(samples[2:6]))
    found = None
    for halving in range(len(HALVINGS)):
        rest = samples[2:6] - predicted(samples, halving)
        if (energy := _energy(rest)) < best:
            best, found = energy, halving
            stored[2:6] = rest
    return found, stored


def _energy(values: StoredSamples) -> int:
    return int(np.abs(values.astype(np.int64)).sum())
