"""ECG: beats, waves, measurements, lead swaps.

Arrays are float64 in mV, leads as rows; NaN marks samples that never arrived. Results are sample indices
(int64, ascending). This file holds the names others call; each subject has its own file beside it.
"""

import numpy as np
from numpy.typing import ArrayLike

from chevet.signals import ecg_qrs
from chevet.signals.arrays import Indices, check_rate, names_of, one_channel, several_leads
from chevet.signals.ecg_delineate import Delineation, delineated
from chevet.signals.ecg_measure import EcgMeasurements, Measured, beats_of, measure
from chevet.signals.ecg_stream import QrsDetector
from chevet.signals.ecg_swap import Swap, swaps_of

__all__ = [
    "Delineation",
    "EcgMeasurements",
    "Measured",
    "QrsDetector",
    "Swap",
    "beats_of",
    "delineate",
    "detect_qrs",
    "lead_swap",
    "measure",
]


def detect_qrs(ecg: ArrayLike, rate_hz: float) -> Indices:
    """Find the R peaks (largest deflections of the QRS) of one lead.

    Method and deviations from Pan-Tompkins (doi 10.1109/TBME.1985.325532): see `chevet.signals.ecg_qrs`.

    Args:
        ecg: one lead in mV, shape [n], at least 1 s; any scale and offset; NaN where nothing arrived.
        rate_hz: 100 to 2000.

    Returns:
        int64 [k], ascending; none inside a gap.

    Raises:
        ValueError: empty, too short, not one lead, NaN only, or a rate out of range; says the remedy.
    """
    check_rate(rate_hz, 100, 2000, "the ECG")
    return ecg_qrs.detect(one_channel(ecg, rate_hz, 1.0, "the ECG"), float(rate_hz))


def delineate(leads: ArrayLike, rate_hz: float, qrs: ArrayLike) -> Delineation:
    """Find where P, QRS and T begin, peak and end, over all leads together.

    Method and deviations from its sources: see `chevet.signals.ecg_delineate`. P waves are reported only
    where beats show them alike; in atrial fibrillation there are none.

    Args:
        leads: mV, shape [c, n] or [n], at least 2 s; NaN where nothing arrived. Twelve are taken for the
            standard ones in their order, and the limits of QRS then follow mostly lead II.
        rate_hz: 100 to 2000; limits are as fine as the samples.
        qrs: R peaks, ascending, from `detect_qrs` or `beats_of`.

    Returns:
        Arrays as long as `qrs`; -1 where a wave is absent or lies in a gap.

    Raises:
        ValueError: too short, NaN only, wrong shape or rate.
    """
    check_rate(rate_hz, 100, 2000, "the ECG")
    x = several_leads(leads, rate_hz, 2.0)
    beats = np.asarray(qrs, dtype=np.int64)
    return delineated(x, float(rate_hz), beats[(beats >= 0) & (beats < x.shape[1])])


def lead_swap(
    leads: ArrayLike, rate_hz: float, lead_names: tuple[str, ...] | None = None
) -> tuple[Swap, ...]:
    """Find electrodes that were probably exchanged; method in `chevet.signals.ecg_swap`.

    Args:
        leads: mV on one scale, shape [c, n], at least 4 s; needs I and II, better all twelve.
        rate_hz: 100 to 2000.
        lead_names: names of the rows; None means the standard twelve.

    Returns:
        Probable exchanges, at most one among the limbs and one on the chest; empty where nothing is clear.

    Raises:
        ValueError: too short, NaN only, wrong shape or rate.
    """
    check_rate(rate_hz, 100, 2000, "the ECG")
    x = several_leads(leads, rate_hz, 4.0)
    names = names_of(lead_names, len(x))
    return swaps_of(x, float(rate_hz), names, beats_of(x, rate_hz, names))
