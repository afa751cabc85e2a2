"""Pictures of the ear: how sharp one is, and which of several to keep.

Images are uint8 RGB, shape [h, w, 3]. Detail is measured in a band above the
grain, the grain's own part taken off and reflections left out: these fool the variance of the Laplacian.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from chevet.signals.arrays import Mask
from chevet.signals.errors import WrongShapeError

Image = NDArray[np.uint8]
_Small = NDArray[np.float32]

_FINE, _COARSE = 0.9, 2.0  # Gaussian deviations, pixels: detail is what lies between
_NOISE_LEFT = (
    0.0521  # share of white noise's variance that this band lets through (impulse response, squared)
)
_LIT = 20  # luma; below it lies the black rim around the field of view
_SMALLEST = 48


@dataclass(frozen=True, slots=True)
class Look:
    """What a picture looks like, all from one pass.

    Attributes:
        sharpness: fine detail in per cent of brightness, noise taken off, reflections left out.
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
    """Return how sharp a picture is: fine detail over brightness, noise subtracted.

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
    usual = _usual(looks)
    return int(np.argmax([_merit(each, usual) for each in looks]))


def look(image: Image) -> Look:
    """Measure one picture; see `Look`."""
    red, green, blue = _planes(image)
    luma = 0.299 * red.astype(np.float32) + 0.587 * green + 0.114 * blue  # ITU-R BT.601
    fine = np.abs(luma[:-1, :-1] - luma[1:, :-1] - luma[:-1, 1:] + luma[1:, 1:])
    soft = ndimage.gaussian_filter(luma, _FINE, truncate=3.0)
    lit = soft > _LIT
    grain = fine[::2, ::2][lit[:-1:2, :-1:2]]
    noise = float(np.median(grain)) / 0.6745 / 2 if grain.size else 0.0
    white = np.minimum(np.minimum(red, green), blue) > 215
    top = np.maximum(np.maximum(red, green), blue) >= 254
    count = max(int(lit.sum()), 1)
    return Look(
        sharpness=_structure(soft, ~(_near(white, 2) | _near(~lit, 4)), noise),
        noise=noise,
        bright=float(luma[lit].mean()) if lit.any() else 0.0,
        burnt=float((top & lit).sum() / count),
        glare=float((white & lit).sum() / count),
        dark=1 - float(lit.mean()),
        red=float((red * lit).sum() / count),
        green=float((green * lit).sum() / count),
        blue=float((blue * lit).sum() / count),
    )


def _planes(image: Image) -> Image:
    a = np.asarray(image)
    if a.ndim != 3 or a.shape[2] != 3 or a.dtype != np.uint8:
        raise WrongShapeError("the picture", a.shape, "hand in RGB as uint8, shape [h, w, 3]")
    if min(a.shape[:2]) < _SMALLEST:
        raise WrongShapeError("the picture", a.shape, f"use at least {_SMALLEST}x{_SMALLEST} pixels")
    return np.ascontiguousarray(a.transpose(2, 0, 1))


def _near(spoilt: Mask, cells: int) -> Mask:
    """Grow reflections or the black rim by cells of 4 pixels: their edges say nothing about focus."""
    h, w = (n // 4 * 4 for n in spoilt.shape)
    coarse: Mask = np.any(spoilt[:h, :w].reshape(h // 4, 4, w // 4, 4), axis=(1, 3))
    coarse = ndimage.binary_dilation(coarse, np.ones((2 * cells + 1, 2 * cells + 1), dtype=bool))
    grown = np.zeros(spoilt.shape, dtype=bool)
    grown[:h, :w] = coarse.repeat(4, 0).repeat(4, 1)
    return grown


def _structure(soft: _Small, use: Mask, noise: float) -> float:
    if use.sum() < 400:
        return 0.0
    detail = (soft - ndimage.gaussian_filter(soft, _COARSE, truncate=2.5))[use]
    energy = float(np.mean(np.square(detail))) - noise**2 * _NOISE_LEFT
    return float(100 * np.sqrt(max(energy, 0)) / max(float(soft[use].mean()), 1.0))


def _merit(one: Look, usual: Look) -> float:
    """Sharpness, less what sets this frame apart from the usual one of the set for the worse."""
    exposure = abs(np.log(max(one.bright, 1) / max(usual.bright, 1)))
    burnt = max(one.burnt - usual.burnt, 0) + max(one.glare - usual.glare, 0)
    noise = max(one.noise - usual.noise, 0)
    return one.sharpness * float(np.exp(-1.5 * exposure - 6 * burnt - 0.3 * noise))


def _usual(looks: list[Look]) -> Look:
    return Look(*(float(np.median([getattr(each, f.name) for each in looks])) for f in fields(Look)))
