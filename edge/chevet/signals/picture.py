"""Pictures of the ear: how sharp one is, and which of several to keep.

Images are uint8 RGB, shape [h, w, 3]. Ranking looks at structure of 4-20 pixels: noise and
small reflections, which fool the variance of the Laplacian, live below that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from chevet.signals.arrays import Mask
from chevet.signals.errors import WrongShapeError

Image = NDArray[np.uint8]
_Small = NDArray[np.float32]

_WEIGHTS = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601 luma
_SMALLEST = 48


@dataclass(frozen=True, slots=True)
class Look:
    """What a picture looks like, all from one pass.

    Attributes:
        sharpness: gradient of the structure, noise taken off, relative to brightness.
        noise: standard deviation of the finest grain, grey levels.
        bright: mean luma of the lit field, 0..255.
        burnt: share of the lit field at the top of the range.
        glare: share of the lit field in white reflections.
        dark: share of the frame that is not lit.
        red, green, blue: mean colour of the lit field.
    """

    sharpness: float
    noise: float
    bright: float
    burnt: float
    glare: float
    dark: float
    red: float
    green: float
    blue: float


def sharpness(image: Image) -> float:
    """Return how sharp a picture is: structure of 4-20 pixels over brightness, noise subtracted.

    Args:
        image: uint8 [h, w, 3], at least 48x48.

    Returns:
        0 (no structure) upwards; comparable between frames of one camera.

    Raises:
        ValueError: not an RGB uint8 image, or too small.
    """
    return look(image).sharpness


def best_frame(images: Sequence[Image]) -> int:
    """Return the index of the picture to keep: the sharpest after penalties for exposure, glare and noise.

    Raises:
        ValueError: no image, or one that is not RGB uint8.
    """
    if not images:
        raise ValueError("no picture to choose from; record at least one frame")
    looks = [look(image) for image in images]
    return int(np.argmax([_merit(each, looks) for each in looks]))


def look(image: Image) -> Look:
    """Measure one picture; see `Look`."""
    rgb = _checked(image)
    luma = rgb @ _WEIGHTS
    fine = np.abs(luma[:-1, :-1] - luma[1:, :-1] - luma[:-1, 1:] + luma[1:, 1:])
    noise = float(np.median(fine)) / 0.6745 / 2
    soft = ndimage.gaussian_filter(luma, 1.5, truncate=2.5)
    lit = soft > 20
    share = float(lit.mean())
    top = rgb.max(-1)
    white = (rgb.min(-1) > 215) & lit
    glare_zone = ndimage.uniform_filter(white.astype(np.float32), 9) > 0.02
    use = lit & ~glare_zone
    count = max(int(lit.sum()), 1)
    red, green, blue = (float(rgb[..., i][lit].mean()) if share > 0 else 0.0 for i in range(3))
    return Look(
        sharpness=_structure(soft, use, noise),
        noise=noise,
        bright=float(luma[lit].mean()) if share > 0 else 0.0,
        burnt=float(((top >= 254) & lit).sum() / count),
        glare=float(white.sum() / count),
        dark=1 - share,
        red=red,
        green=green,
        blue=blue,
    )


def _checked(image: Image) -> _Small:
    a = np.asarray(image)
    if a.ndim != 3 or a.shape[2] != 3 or a.dtype != np.uint8:
        raise WrongShapeError("the picture", a.shape, "hand in RGB as uint8, shape [h, w, 3]")
    if min(a.shape[:2]) < _SMALLEST:
        raise WrongShapeError("the picture", a.shape, f"use at least {_SMALLEST}x{_SMALLEST} pixels")
    return a.astype(np.float32)


def _structure(soft: _Small, use: Mask, noise: float) -> float:
    inner = use[1:-1, 1:-1]
    if inner.sum() < 400:
        return 0.0
    down = (soft[2:, 1:-1] - soft[:-2, 1:-1])[inner] / 2
    across = (soft[1:-1, 2:] - soft[1:-1, :-2])[inner] / 2
    # White noise of deviation s leaves a gradient variance of s^2 / (8 pi sigma^4) each way.
    left = noise**2 / (8 * np.pi * 1.5**4)
    energy = min(float(np.mean(down**2)), float(np.mean(across**2))) - left
    mean = float(soft[1:-1, 1:-1][inner].mean())
    return float(100 * np.sqrt(max(energy, 0)) / max(mean, 1.0))


def _merit(one: Look, others: list[Look]) -> float:
    usual = float(np.median([o.bright for o in others]))
    exposure = abs(np.log(max(one.bright, 1) / max(usual, 1)))
    return one.sharpness * float(np.exp(-1.5 * exposure - 6 * one.burnt - 12 * one.glare - 0.12 * one.noise))
