"""Stills for a thin link: a small AVIF to see what it is, a good one to look closely; the original stays.

AVIF because at 3.9 KiB it keeps about 27 dB of an otoscope image where a JPEG's first 4 KiB give 15
(delivery reference 3.7), and every browser since 2023 shows it.
"""

import io
import warnings
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import uniform_filter

from chevet.study.sound import PREVIEW_BYTES

AVIF: Final = "image/avif"
GOOD_SSIM: Final = 0.98
MAX_PIXELS: Final = 16_000_000
_SPEED: Final = 8  # 0 slowest to 10: a Pi encodes a still in well under a second
_QUALITIES: Final = (65, 80, 90)
_PREVIEW_QUALITIES: Final = (50, 40, 30, 20, 10, 1)
_WORTH: Final = 0.8  # a diagnostic copy must save a fifth of the original, or the original serves


def preview_picture(data: bytes) -> bytes | None:
    """Return an AVIF of half size, or less, of at most 3.9 KiB; None for an unreadable image."""
    image = opened(data)
    if image is None:
        return None
    for shrink in (2, 4, 8, 16, 32):
        small = image.resize(
            (max(image.width // shrink, 1), max(image.height // shrink, 1)), Image.Resampling.BOX
        )
        for quality in _PREVIEW_QUALITIES:
            out = _avif(small, quality)
            if len(out) <= PREVIEW_BYTES:
                return out
    return None


def diagnostic_picture(data: bytes) -> bytes | None:
    """Return an AVIF of full size with SSIM 0.98 or more; None where it would not pay or cannot be made."""
    image = opened(data)
    if image is None:
        return None
    for quality in _QUALITIES:
        out = _avif(image, quality)
        if len(out) > _WORTH * len(data):
            return None
        if ssim(_luma(image), _luma(Image.open(io.BytesIO(out)))) >= GOOD_SSIM:
            return out
    return None


def ssim(one: NDArray[np.float64], two: NDArray[np.float64]) -> float:
    """Return the mean structural similarity of two grey images in 0..255.

    Wang et al., IEEE TIP 2004, doi:10.1109/TIP.2003.819861; a 7 x 7 uniform window instead of a Gaussian.
    """
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean1, mean2 = _smooth(one), _smooth(two)
    var1, var2 = _smooth(one * one) - mean1**2, _smooth(two * two) - mean2**2
    both = _smooth(one * two) - mean1 * mean2
    index = ((2 * mean1 * mean2 + c1) * (2 * both + c2)) / ((mean1**2 + mean2**2 + c1) * (var1 + var2 + c2))
    return float(index.mean())


def _smooth(image: NDArray[np.float64]) -> NDArray[np.float64]:
    return cast("NDArray[np.float64]", uniform_filter(image, 7))


def _luma(image: Image.Image) -> NDArray[np.float64]:
    return np.asarray(image.convert("L"), dtype=np.float64)


def opened(data: bytes) -> Image.Image | None:
    """Return an image as RGB; None where it cannot be read, or has more pixels than any camera of ours."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data))
            if image.width * image.height > MAX_PIXELS:
                return None
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None


def _avif(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "AVIF", quality=quality, speed=_SPEED, max_threads=1)  # one thread: equal bytes each time
    return out.getvalue()
