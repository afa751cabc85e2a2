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
_NOISE_LEFT = 0.058  # share of white noise's variance that this band lets through (impulse response, squared)
_GRAIN_UNEVEN = 0.55  # squared mean unevenness that grain of 1 makes in the means of blocks
_LIT = 20  # luma; below it lies the black rim around the field of view
_SMALLEST = 48
_BLOCKS = 95  # blocks along the shorter side, in whose means is measured what need not be fine
_FEWEST_BLOCKS = 25
_YELLOW = 0.62  # blue over the mean of red and green, below which a spot is yellow or brown
_NOISE_IN_SLOPE = 0.1116  # share of white noise's variance in the slope of detail over two pixels


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
        smeared: how much more detail lies across one direction than along it, natural logarithm.
        contrast: difference of the bright and the dark parts (95 and 5 %) over the mean luma.
        yellow: share of the lit field in yellow and brown.
        rough: local unevenness some 3 % of the picture wide, in per cent of brightness.
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
    smeared: float
    contrast: float
    yellow: float
    rough: float


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
    planes = _planes(image)
    red, green, blue = planes
    luma = _luma(planes)
    white = np.minimum(np.minimum(red, green), blue) > 215
    top = np.maximum(np.maximum(red, green), blue) >= 254
    size = max(2, round(min(luma.shape) / _BLOCKS))
    colours = np.stack([_block_mean(plane, size) for plane in planes])
    grey = _block_mean(luma, size)
    lit = grey > _LIT
    glaring, burning = _block_mean(white, size), _block_mean(top, size)
    use = ~(ndimage.binary_dilation(glaring > 0, iterations=2) | ndimage.binary_dilation(~lit, iterations=5))
    noise = _grain(luma, lit, size)
    inner = _inner(use.shape)  # where the eardrum is looked for; the rest would only cost time
    pixels = tuple(slice(one.start * size, one.stop * size) for one in inner)
    fine, smeared = _structure(np.ascontiguousarray(luma[pixels]), use[inner], noise, size)
    wide = _Wide(grey, colours, lit, use, noise / size)
    return Look(
        sharpness=fine,
        noise=noise,
        bright=wide.mean(grey),
        burnt=wide.mean(burning),
        glare=wide.mean(glaring),
        dark=1 - float(lit.mean()),
        red=wide.mean(colours[0]),
        green=wide.mean(colours[1]),
        blue=wide.mean(colours[2]),
        smeared=smeared,
        contrast=wide.contrast(),
        yellow=wide.yellow(),
        rough=wide.rough(),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Wide:
    """A picture in means of blocks: luma [h, w], colours [3, h, w], what is lit and plain, and the grain."""

    grey: _Small
    colours: _Small
    lit: Mask
    use: Mask
    noise: float

    def mean(self, of: _Small) -> float:
        return float(of[self.lit].mean()) if self.lit.any() else 0.0

    def contrast(self) -> float:
        if not self.lit.any():
            return 0.0
        low, high = np.quantile(self.grey[self.lit], [0.05, 0.95])
        return float((high - low) / max(float(self.grey[self.lit].mean()), 1.0))

    def yellow(self) -> float:
        red, green, blue = self.colours
        warm = (blue < _YELLOW * (red + green) / 2) & (green > 0.55 * red)
        return self.mean(warm)

    def rough(self) -> float:
        if self.use.sum() < _FEWEST_BLOCKS:
            return 0.0
        uneven = np.abs(self.grey - ndimage.gaussian_filter(self.grey, 1.5, truncate=2.0))[self.use].mean()
        plain = np.sqrt(max(float(uneven) ** 2 - _GRAIN_UNEVEN * self.noise**2, 0.0))
        return float(100 * plain / max(float(self.grey[self.use].mean()), 1.0))


def checked_image(image: Image) -> Image:
    """Return `image` if it is RGB uint8 of at least 48x48, else raise WrongShapeError."""
    a = np.asarray(image)
    if a.ndim != 3 or a.shape[2] != 3 or a.dtype != np.uint8:
        raise WrongShapeError("the picture", a.shape, "hand in RGB as uint8, shape [h, w, 3]")
    if min(a.shape[:2]) < _SMALLEST:
        raise WrongShapeError("the picture", a.shape, f"use at least {_SMALLEST}x{_SMALLEST} pixels")
    return a


def _planes(image: Image) -> Image:
    return np.ascontiguousarray(checked_image(image).transpose(2, 0, 1))


def _inner(shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The middle three quarters of each side, in blocks."""
    one, two = (slice(n // 8, n - n // 8) for n in shape)
    return one, two


def _luma(planes: Image) -> _Small:
    """ITU-R BT.601, in place."""
    luma: _Small = planes[0] * np.float32(0.299)
    part = planes[1] * np.float32(0.587)
    luma += part
    luma += np.multiply(planes[2], np.float32(0.114), out=part)
    return luma


def _block_mean(plane: NDArray[np.generic], size: int) -> _Small:
    h, w = (n // size * size for n in plane.shape)
    rows = plane[:h, :w].reshape(h // size, size, w).sum(1, dtype=np.float32)  # whole rows first: much faster
    mean: _Small = rows.reshape(h // size, w // size, size).sum(2) / size**2
    return mean


def _grain(luma: _Small, lit: Mask, step: int) -> float:
    """Return the standard deviation of the finest grain, from differences of diagonal pairs."""
    one, two, three, four = (luma[i::step, j::step] for i, j in ((0, 0), (1, 0), (0, 1), (1, 1)))
    h, w = lit.shape
    fine = np.abs(one[:h, :w] - two[:h, :w] - three[:h, :w] + four[:h, :w])[lit]
    return float(np.median(fine)) / 0.6745 / 2 if fine.size else 0.0


def _structure(luma: _Small, use: Mask, noise: float, size: int) -> tuple[float, float]:
    """Return sharpness and smear; see `Look`."""
    if use.sum() < _FEWEST_BLOCKS:
        return 0.0, 0.0
    # In place: fresh memory for each step costs more time than the filters.
    soft = ndimage.gaussian_filter(luma, _FINE, truncate=3.0)
    bright = float(_block_mean(soft, size)[use].mean())
    detail = ndimage.gaussian_filter(soft, _COARSE, truncate=2.5)
    np.subtract(soft, detail, out=detail)
    energy = float(_block_mean(np.square(detail, out=soft), size)[use].mean()) - noise**2 * _NOISE_LEFT
    return float(100 * np.sqrt(max(energy, 0)) / max(bright, 1.0)), _smear(detail, use, size, noise)


def _smear(detail: _Small, use: Mask, size: int, noise: float) -> float:
    """Log ratio of the structure tensor's two axes: detail across the strongest direction and along it."""
    keep = use.repeat(size, 0).repeat(size, 1)[1:-1:2, 1:-1:2]
    h, w = keep.shape
    down = (detail[2::2, 1:-1:2] - detail[:-2:2, 1:-1:2])[:h, :w][keep]
    along = (detail[1:-1:2, 2::2] - detail[1:-1:2, :-2:2])[:h, :w][keep]
    xx, yy, xy = (float(product) / len(down) for product in (down @ down, along @ along, down @ along))
    floor = noise**2 * _NOISE_IN_SLOPE
    middle = max((xx + yy) / 2 - floor, 1e-3)
    apart = float(np.hypot((xx - yy) / 2, xy))
    return float(np.log((middle + apart) / max(middle - apart, 0.02 * middle)))


def _merit(one: Look, usual: Look) -> float:
    """Sharpness, less what sets this frame apart from the usual one of the set for the worse."""
    exposure = abs(np.log(max(one.bright, 1) / max(usual.bright, 1)))
    burnt = max(one.burnt - usual.burnt, 0) + max(one.glare - usual.glare, 0)
    noise = max(one.noise - usual.noise, 0)
    return one.sharpness * float(np.exp(-1.5 * exposure - 6 * burnt - 0.3 * noise))


def _usual(looks: list[Look]) -> Look:
    return Look(*(float(np.median([getattr(each, f.name) for each in looks])) for f in fields(Look)))
