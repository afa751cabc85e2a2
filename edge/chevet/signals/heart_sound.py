"""Heart sound: heart rate.

Arrays are float64, linear, any scale; NaN marks samples that never arrived.
"""

import numpy as np
from numpy.typing import ArrayLike

from chevet.signals.arrays import check_rate, one_channel
from chevet.signals.heart_envelope import ENVELOPE_HZ, envelope, periodicity

_SLOWEST, _FASTEST = 35.0, 220.0


def heart_rate(sound: ArrayLike, rate_hz: float) -> float | None:
    """Return the heart rate per minute from the rhythm of the sounds.

    The cycle is the lag at which the sound's envelope resembles itself most, with the half cycle (S1
    mistaken for S2) ruled out where the full one fits nearly as well (after Schmidt et al. 2010, doi
    10.1088/0967-3334/31/4/004).

    Args:
        sound: shape [n], at least 3 s.
        rate_hz: 500 to 48000.

    Returns:
        Beats per minute, or None where nothing repeats clearly.

    Raises:
        ValueError: empty, too short, not one channel, NaN only, or a rate out of range; says the remedy.
    """
    check_rate(rate_hz, 500, 48000, "the sound")
    x = one_channel(sound, rate_hz, 3.0, "the sound")
    level, _ = envelope(x, rate_hz)
    if not level.max() > 0:
        return None
    likeness = periodicity(level)
    lag = np.arange(len(likeness)) / ENVELOPE_HZ
    fit = (lag >= 60 / _FASTEST) & (lag <= min(60 / _SLOWEST, len(level) / ENVELOPE_HZ / 2))
    if not fit.any():
        return None
    prior = np.exp(-0.5 * (np.log(np.maximum(lag, 0.01) / 0.8) / 0.6) ** 2)
    best = int(np.argmax(np.where(fit, likeness * prior, -1)))
    if likeness[best] < 0.15:
        return None
    return float(60.0 / lag[best])
