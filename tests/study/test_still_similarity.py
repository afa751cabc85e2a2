"""The diagnostic still against the drawn eardrums, by a similarity that is not the one the encoder asks."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from chevet.sim.eardrum import CONDITIONS
from chevet.sim.otoscope_video import OtoscopeVideo
from chevet.study.picture import diagnostic_picture


def luma(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"), dtype=np.float64)


def similarity(one: np.ndarray, two: np.ndarray) -> float:
    """SSIM as published: an 11 x 11 Gaussian window of 1.5 pixels (doi:10.1109/TIP.2003.819861)."""

    def smooth(image: np.ndarray) -> np.ndarray:
        return gaussian_filter(image, 1.5, truncate=3.34)

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean1, mean2 = smooth(one), smooth(two)
    var1, var2 = smooth(one * one) - mean1**2, smooth(two * two) - mean2**2
    both = smooth(one * two) - mean1 * mean2
    index = (2 * mean1 * mean2 + c1) * (2 * both + c2) / ((mean1**2 + mean2**2 + c1) * (var1 + var2 + c2))
    return float(index.mean())


@pytest.mark.parametrize("condition", CONDITIONS)
def test_the_diagnostic_still_of_every_eardrum_is_similar_to_0_98(condition):
    video = OtoscopeVideo(condition, "left", 3)
    for frame in (0, 40):
        original = video.jpeg(frame)
        copy = diagnostic_picture(original)
        assert copy is not None, "a copy pays"
        assert len(copy) <= 0.8 * len(original)
        assert similarity(luma(original), luma(copy)) >= 0.98
