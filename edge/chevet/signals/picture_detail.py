"""Fine detail of a picture in a band above its grain, and which way it runs.

The band is the difference of two Gaussian blurs of luma, as SciPy's `gaussian_filter` gives them (a test
holds them together); but in strips of rows that stay in the processor's cache, which takes half the time.
"""

import numpy as np

from chevet.signals.arrays import Floats, Mask
from chevet.signals.picture_blocks import Image, Small, block_mean, luma

FEWEST_BLOCKS = 25
_FINE, _COARSE = 0.9, 2.0  # Gaussian deviations, pixels: detail is what lies between
_FINE_REACH, _COARSE_REACH = 3, 5  # pixels to each side
_REACH = _FINE_REACH + _COARSE_REACH
_NOISE_LEFT = 0.058  # share of white noise's variance that this band lets through (impulse response, squared)
_NOISE_IN_SLOPE = 0.1116  # share of white noise's variance in the slope of detail over two pixels
_STRIP_ROWS = 120


def structure(image: Image, use: Mask, bright: float, noise: float, size: int) -> tuple[float, float]:
    """Return sharpness and smear, see `chevet.signals.picture.Look`.

    Args:
        image: uint8 [h, w, 3], whole blocks.
        use: which blocks are looked at [h / size, w / size].
        bright: mean luma of these.
        noise: standard deviation of the grain, grey levels.
        size: pixels along a block's side.
    """
    if use.sum() < FEWEST_BLOCKS:
        return 0.0, 0.0
    energy, slopes = _measured(image, use, size)
    fine = 100 * np.sqrt(max(energy - noise**2 * _NOISE_LEFT, 0)) / max(bright, 1.0)
    return float(fine), _smear(slopes, noise)


def _measured(image: Image, use: Mask, size: int) -> tuple[float, Floats]:
    """Return the mean square of detail, and of its slopes down and along those of each and both [3]."""
    height = len(image)
    rows = np.pad(np.arange(height), _REACH, mode="symmetric")
    energy, slopes, pixels = 0.0, np.zeros(3), 0
    step = max(1, _STRIP_ROWS // size // 2) * 2 * size  # even: every second row has a slope
    for first in range(0, height, step):
        last = min(first + step, height)
        kept = use[first // size : last // size]
        below = min(last + 1, height)  # slopes at the strip's end need one row more
        detail = _detail(image[rows[first : below + 2 * _REACH]])
        energy += float(block_mean(np.square(detail[: last - first]), size)[kept].sum())
        down, along = _slopes(detail, kept.repeat(size, 0).repeat(size, 1))
        slopes += (down @ down, along @ along, down @ along)
        pixels += len(down)
    return energy / int(use.sum()), slopes / max(pixels, 1)


def _slopes(detail: Small, use: Mask) -> tuple[Small, Small]:
    """Return the slopes of detail [h, w] over two pixels, down and along, at every second pixel in use."""
    down = detail[2::2, 1:-1:2] - detail[:-2:2, 1:-1:2]
    along = detail[1:-1:2, 2::2] - detail[1:-1:2, :-2:2]
    h, w = min(len(down), (len(use) + 1) // 2), down.shape[1]
    keep = use[1::2, 1:-1:2][:h, :w]
    h, w = keep.shape
    return down[:h, :w][keep], along[:h, :w][keep]


def _smear(slopes: Floats, noise: float) -> float:
    """Log ratio of the structure tensor's two axes: detail across the strongest direction and along it."""
    xx, yy, xy = slopes
    floor = noise**2 * _NOISE_IN_SLOPE
    middle = max((xx + yy) / 2 - floor, 1e-3)
    apart = float(np.hypot((xx - yy) / 2, xy))
    return float(np.log((middle + apart) / max(middle - apart, 0.02 * middle)))


def _gaussian(deviation: float, reach: int) -> tuple[np.float32, ...]:
    """Return half of a symmetrical kernel, its middle last."""
    half = np.exp(-0.5 * (np.arange(-reach, 1) / deviation) ** 2)
    whole = 2 * half.sum() - half[-1]
    return tuple(np.float32(weight / whole) for weight in half)


_FINE_KERNEL, _COARSE_KERNEL = _gaussian(_FINE, _FINE_REACH), _gaussian(_COARSE, _COARSE_REACH)


def _detail(rows: Image) -> Small:
    """Return the fine detail of some rows [h + 2 reach, w, 3], shape [h, w]; the sides are mirrored."""
    width = rows.shape[1]
    grey = np.empty((len(rows), width + 2 * _REACH), dtype=np.float32)
    grey[:, _REACH:-_REACH] = luma(np.moveaxis(rows, 2, 0))
    grey[:, :_REACH] = grey[:, 2 * _REACH - 1 : _REACH - 1 : -1]
    grey[:, -_REACH:] = grey[:, -_REACH - 1 : -2 * _REACH - 1 : -1]
    soft = _blurred(grey, _FINE_KERNEL)
    detail: Small = soft[_COARSE_REACH:-_COARSE_REACH, _COARSE_REACH:-_COARSE_REACH]
    return np.subtract(detail, _blurred(soft, _COARSE_KERNEL))


def _blurred(plane: Small, kernel: tuple[np.float32, ...]) -> Small:
    """Blur down and across; what comes back is smaller by the kernel's reach on every side."""
    return _blurred_down(_blurred_down(plane, kernel).T, kernel).T


def _blurred_down(plane: Small, kernel: tuple[np.float32, ...]) -> Small:
    reach = len(kernel) - 1
    rows = len(plane) - 2 * reach
    total: Small = plane[reach : reach + rows] * kernel[reach]
    pair = np.empty_like(total)
    for k, weight in enumerate(kernel[:-1]):
        far = 2 * reach - k
        np.add(plane[k : k + rows], plane[far : far + rows], out=pair)
        pair *= weight
        total += pair
    return total
