"""Quality of one picture of the ear."""

import numpy as np

from chevet.signals.picture import Image, Look, look
from chevet.signals.verdict import Quality, Reason, verdict

_SHARP = 1.0  # sharpness of a good otoscope frame; three in four of a clinical set reach 0.8
_BLURRED = 0.5  # the same frames defocused by 2 pixels


def picture_quality(image: Image) -> Quality:
    """Judge one picture of the ear.

    Args:
        image: uint8 RGB, shape [h, w, 3], at least 48x48.

    Returns:
        Quality; `wax` says that brown and yellow fill the view, it is no diagnosis.

    Raises:
        ValueError: not an RGB uint8 image, or too small.
    """
    seen = look(image)
    score = float(np.clip(0.3 + 0.7 * (seen.sharpness - 0.3) / (_SHARP - 0.3), 0.3, 1))
    return verdict(score, _faults(seen))


def _faults(seen: Look) -> list[tuple[float, Reason]]:
    faults: list[tuple[float, Reason]] = []
    if seen.dark > 0.93 or seen.bright < 55:
        faults.append((0.6, Reason("underexposed")))
    elif seen.sharpness < _BLURRED:
        faults.append((0.3, Reason("out_of_focus")))
    if seen.burnt > 0.3 or seen.bright > 215:
        faults.append((0.6, Reason("overexposed")))
    elif seen.glare > 0.12:
        faults.append((min(0.5, 2 * seen.glare), Reason("glare")))
    if seen.dark > 0.98:
        faults.append((0.5, Reason("no_eardrum_in_view")))
    elif _is_wax(seen):
        faults.append((0.3, Reason("wax")))
    return faults


def _is_wax(seen: Look) -> bool:
    return seen.blue < 0.62 * seen.red and seen.green > 0.72 * seen.red
