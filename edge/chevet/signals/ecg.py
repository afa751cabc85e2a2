"""ECG: beats, waves, measurements, lead swaps.

Arrays are float64 in mV, leads as rows; NaN marks samples that never arrived. Results are sample indices
(int64, ascending). This file holds the names others call; each subject has its own file beside it.
"""

from numpy.typing import ArrayLike

from chevet.signals import ecg_qrs
from chevet.signals.arrays import Indices, check_rate, one_channel
from chevet.signals.ecg_measure import EcgMeasurements, Measured, measure
from chevet.signals.ecg_stream import QrsDetector

__all__ = ["EcgMeasurements", "Measured", "QrsDetector", "detect_qrs", "measure"]


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
