"""Pictures of the ear: how sharp one is, and which of several to keep.

Images are uint8 RGB, shape [h, w, 3]. Detail is measured in a band above the
grain, the grain's own part taken off and reflections left out: these fool the variance of the Laplacian.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from scipy import ndimage

from chevet.signals.arrays import Mask
from chevet.signals.picture_blocks import Blocks, Image, Small, blocks_of, checked_image, luma
from chevet.signals.picture_detail import FEWEST_BLOCKS, structure

_GRAIN_UNEVEN = 0.55  # squared mean unevenness that grain of 1 makes in the means of blocks
_LIT = 20  # luma; below it lies the black rim around the field of view
_YELLOW = 0.62  # blue over the mean of red and green, below which a spot is yellow or brown


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
    picture = checked_image(image)
    blocks = blocks_of(picture)
    lit = blocks.grey > _LIT
    use = ~(_wider(blocks.glaring > 0, 2) | _wider(~lit, 5))
    noise = _grain(picture, lit, blocks.size)
    inner = _inner(use.shape)  # where the eardrum is looked for; the rest would only cost time
    pixels = tuple(slice(one.start * blocks.size, one.stop * blocks.size) for one in inner)
    middle = blocks.grey[inner][use[inner]]
    bright = float(middle.mean()) if len(middle) else 0.0
    fine, smeared = structure(picture[pixels], use[inner], bright, noise, blocks.size)
    wide = _Wide(blocks, lit, use, noise / blocks.size)
    return Look(
        sharpness=fine,
        noise=noise,
        bright=wide.mean(blocks.grey),
        burnt=wide.mean(blocks.burning),
        glare=wide.mean(blocks.glaring),
        dark=1 - float(lit.mean()),
        red=wide.mean(blocks.colours[0]),
        green=wide.mean(blocks.colours[1]),
        blue=wide.mean(blocks.colours[2]),
        smeared=smeared,
        contrast=wide.contrast(),
        yellow=wide.yellow(),
        rough=wide.rough(),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Wide:
    """A picture in blocks: their means, which are lit and plain [h, w], and the grain in their luma."""

    blocks: Blocks
    lit: Mask
    use: Mask
    noise: float

    def mean(self, of: Small | Mask) -> float:
        return float(of[self.lit].mean()) if self.lit.any() else 0.0

    def contrast(self) -> float:
        if not self.lit.any():
            return 0.0
        low, high = np.quantile(self.blocks.grey[self.lit], [0.05, 0.95])
        return float((high - low) / max(float(self.blocks.grey[self.lit].mean()), 1.0))

    def yellow(self) -> float:
        red, green, blue = self.blocks.colours
        warm = (blue < _YELLOW * (red + green) / 2) & (green > 0.55 * red)
        return self.mean(warm)

    def rough(self) -> float:
        if self.use.sum() < FEWEST_BLOCKS:
            return 0.0
        grey = self.blocks.grey
        uneven = np.abs(grey - ndimage.gaussian_filter(grey, 1.5, truncate=2.0))[self.use].mean()
        plain = np.sqrt(max(float(uneven) ** 2 - _GRAIN_UNEVEN * self.noise**2, 0.0))
        return float(100 * plain / max(float(grey[self.use].mean()), 1.0))


def _wider(mask: Mask, by: int) -> Mask:
    if not mask.any():
        return mask
    wider: Mask = ndimage.binary_dilation(mask, iterations=by)
    return wider


def _inner(shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The middle three quarters of each side, in blocks."""
    one, two = (slice(n // 8, n - n // 8) for n in shape)
    return one, two


def _grain(image: Image, lit: Mask, step: int) -> float:
    """Return the standard deviation of the finest grain of luma, from differences of diagonal pairs."""
    h, w = lit.shape
    corners = ((0, 0), (1, 0), (0, 1), (1, 1))
    one, two, three, four = (image[i::step, j::step][:h, :w].astype(np.int16) for i, j in corners)
    fine = np.abs(luma(np.moveaxis(one - two - three + four, 2, 0)))[lit]
    return float(np.median(fine)) / 0.6745 / 2 if fine.size else 0.0


def _merit(one: Look, usual: Look) -> float:
    """Sharpness, less what sets this frame apart from the usual one of the set for the worse."""
    exposure = abs(np.log(max(one.bright, 1) / max(usual.bright, 1)))
    burnt = max(one.burnt - usual.burnt, 0) + max(one.glare - usual.glare, 0)
    noise = max(one.noise - usual.noise, 0)
    return one.sharpness * float(np.exp(-1.5 * exposure - 6 * burnt - 0.3 * noise))


def _usual(looks: list[Look]) -> Look:
    return Look(*(float(np.median([getattr(each, f.name) for each in looks])) for f in fields(Look)))
