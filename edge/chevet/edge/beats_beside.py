"""The heartbeats of an ECG that was recorded beside a sound, on the sound's own clock."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chevet.edge.main_stream import belongs
from chevet.edge.recorded import physical
from chevet.signals.ecg import beats_of
from chevet.signals.quality import ecg_quality
from chevet.study.recording import Waveform


def beats_beside(laid: Sequence[Waveform]) -> NDArray[np.float64] | None:
    """Return the R peaks of the ECG in a capture, in samples of its main stream.

    Args:
        laid: the capture's waveforms, the main one first; each tells when it began.

    Returns:
        Ascending, shape [k]; None without an ECG, or where it is too short or too poor to trust its beats.
    """
    beside = next((one for one in laid[1:] if belongs("ecg", one.channels)), None)
    if beside is None:
        return None
    rate_hz = beside.channels[0].rate_hz
    names = tuple(channel.name for channel in beside.channels)
    leads = physical(beside)
    try:
        if not ecg_quality(leads, rate_hz, lead_names=names).usable:
            return None
        peaks = beats_of(leads, rate_hz, names)
    except ValueError:  # too short or too slow for the signals, which say so
        return None
    return (peaks / rate_hz + beside.later_s - laid[0].later_s) * laid[0].channels[0].rate_hz
