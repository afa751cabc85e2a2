"""A picture measured in strips: the same as if it were measured whole, whatever its size."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from chevet.signals import picture_detail
from chevet.signals.heart_states import Rhythm, best_states
from chevet.signals.picture_blocks import blocks_of, luma


def speckled(height: int, width: int, seed: int) -> np.ndarray:
    """Blobs over the whole range, some burnt out and some black."""
    rough = np.random.default_rng(seed).normal(size=(height, width, 3))
    return np.clip(128 + 600 * ndimage.gaussian_filter(rough, (1.5, 1.5, 0.0)), 0, 255).astype(np.uint8)


@settings(max_examples=30, deadline=None)
@given(st.integers(48, 400), st.integers(48, 400), st.integers(0, 9))
def test_blocks_hold_the_means_of_their_pixels_whatever_the_pictures_size(
    height: int, width: int, seed: int
) -> None:
    image = speckled(height, width, seed)
    blocks = blocks_of(image)
    h, w = height // blocks.size, width // blocks.size
    parts = image[: h * blocks.size, : w * blocks.size].reshape(h, blocks.size, w, blocks.size, 3)
    np.testing.assert_allclose(np.moveaxis(blocks.colours, 0, 2), parts.mean((1, 3)), atol=1e-3)
    np.testing.assert_allclose(blocks.glaring, (parts.min(-1) > 215).mean((1, 3)), atol=1e-6)
    np.testing.assert_allclose(blocks.burning, (parts.max(-1) >= 254).mean((1, 3)), atol=1e-6)


def test_blocks_too_large_for_sums_of_16_bits_are_right_too() -> None:
    blocks = blocks_of(np.full((1900, 1900, 3), 255, dtype=np.uint8))
    assert blocks.size == 20
    assert blocks.colours.min() == 255.0
    assert blocks.burning.min() == 1.0


@settings(max_examples=20, deadline=None)
@given(st.integers(25, 90), st.integers(25, 90), st.integers(2, 5), st.integers(0, 9))
def test_detail_in_strips_is_the_difference_of_two_gaussian_blurs(
    rows: int, columns: int, size: int, seed: int
) -> None:
    image = speckled(rows * size, columns * size, seed)
    use = np.random.default_rng(seed).random((rows, columns)) < 0.7
    grey = luma(np.moveaxis(image, 2, 0))
    soft = ndimage.gaussian_filter(grey, 0.9, truncate=3.0)
    detail = soft - ndimage.gaussian_filter(soft, 2.0, truncate=2.5)
    keep = use.repeat(size, 0).repeat(size, 1)
    down = (detail[2::2, 1:-1:2] - detail[:-2:2, 1:-1:2])[keep[1:-1:2, 1:-1:2]]
    along = (detail[1:-1:2, 2::2] - detail[1:-1:2, :-2:2])[keep[1:-1:2, 1:-1:2]]
    energy, slopes = picture_detail._measured(image, use, size)
    assert np.isclose(energy, np.mean(detail[keep] ** 2), rtol=1e-3)
    expected = [np.mean(down**2), np.mean(along**2), np.mean(down * along)]
    np.testing.assert_allclose(slopes, expected, rtol=1e-3, atol=1e-3 * expected[0])


def test_a_known_rhythm_that_is_guessed_again_changes_nothing() -> None:
    frames = np.arange(500)
    odds = np.where((frames % 40 < 6) | ((frames % 40 >= 15) & (frames % 40 < 20)), 2.0, -2.0)
    first = np.where(frames % 40 < 6, 0.5, -0.5)
    alone = best_states(odds, first)
    assert alone is not None
    known = Rhythm(alone.rhythm.cycle_s, alone.rhythm.systole_s, alone.rhythm.clear / 2)
    again = best_states(odds, first, known=known)
    assert again is not None
    assert again.rhythm == alone.rhythm
    np.testing.assert_array_equal(again.frames, alone.frames)
