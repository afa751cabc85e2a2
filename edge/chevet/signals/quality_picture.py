"""Quality of one picture: of the ear, or of the skin."""

import numpy as np

from chevet.signals.picture import Look, look
from chevet.signals.picture_blocks import Image
from chevet.signals.verdict import Quality, Reason, verdict

_SHARP = 1.0  # sharpness of a good otoscope frame; three in four of a clinical set reach 0.8
_BLURRED = 0.5  # the same frames defocused by 2 pixels
_SMEARED = 1.15  # 59 of 60 frames of the set lie below it, nine in ten of those moved by 7 to 14 pixels above
_GRAINY = 3.0  # grain that hides the direction of a smear
_DARK = 65.0  # luma; the darkest frames of the set have 96
_FOGGED = 0.7  # contrast; the set has 1.2 and more, seen through fog that hides half the light 0.6 and less
_YELLOW_ALL, _YELLOW_SOME = 0.5, 0.03  # share at which colour alone says wax, and below which it never is
# Log odds of wax: what unevenness and share of yellow say; from `benchmarks/signals_pictures.py wax`.
WAX = (-9.6, 8.05, 4.6)


def picture_quality(image: Image, *, ear: bool = True) -> Quality:
    """Judge one picture.

    Args:
        image: uint8 RGB, shape [h, w, 3], at least 48x48.
        ear: seen through an otoscope. A photograph of the skin is judged for focus, motion and light alone:
            skin is pale in contrast by nature, and may be of any colour.

    Returns:
        Quality; `wax` says that something rough or yellow fills the view, it is no diagnosis.

    Raises:
        ValueError: not an RGB uint8 image, or too small.
    """
    seen = look(image)
    score = float(np.clip(0.3 + 0.7 * (seen.sharpness - 0.3) / (_SHARP - 0.3), 0.3, 1))
    return verdict(score, [*_blur(seen, ear=ear), *_light(seen, ear=ear), *(_view(seen) if ear else [])])


def _blur(seen: Look, *, ear: bool) -> list[tuple[float, Reason]]:
    if _too_dark(seen):
        return []
    if seen.smeared > _SMEARED and seen.noise < _GRAINY:
        return [(0.4, Reason("motion"))]
    if seen.sharpness < _BLURRED and not (ear and _fogged(seen)):
        return [(0.3, Reason("out_of_focus"))]
    return []


def _light(seen: Look, *, ear: bool) -> list[tuple[float, Reason]]:
    faults: list[tuple[float, Reason]] = []
    if _too_dark(seen):
        faults.append((0.6, Reason("underexposed")))
    elif ear and _fogged(seen):
        faults.append((0.5, Reason("fog")))
    if _too_bright(seen):
        faults.append((0.6, Reason("overexposed")))
    elif seen.glare > 0.12:
        faults.append((min(0.5, 2 * seen.glare), Reason("glare")))
    return faults


def _view(seen: Look) -> list[tuple[float, Reason]]:
    if seen.dark > 0.98 or (seen.blue > 1.05 * seen.red and seen.green > 1.03 * seen.red):
        return [(0.5, Reason("no_eardrum_in_view"))]
    return [(0.3, Reason("wax"))] if _is_wax(seen) else []


def _too_dark(seen: Look) -> bool:
    return seen.dark > 0.93 or seen.bright < _DARK


def _too_bright(seen: Look) -> bool:
    return seen.burnt > 0.3 or seen.bright > 215


def _fogged(seen: Look) -> bool:
    return seen.contrast < _FOGGED and seen.sharpness < _BLURRED and not _too_bright(seen)


def _is_wax(seen: Look) -> bool:
    one, rough, yellow = WAX
    odds = one + rough * float(np.log(max(seen.rough, 0.1))) + yellow * seen.yellow
    return (odds > 0 and seen.yellow > _YELLOW_SOME) or seen.yellow > _YELLOW_ALL
