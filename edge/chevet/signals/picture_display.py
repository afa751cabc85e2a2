"""A picture made easier to look at: for display only, the original stays what is stored and sent."""

import numpy as np
from scipy import ndimage

from chevet.signals.picture_blocks import Image, checked_image

_LOCAL = 0.045  # deviation of the surroundings whose contrast is raised, share of the shorter side
_GAIN = 0.6  # of local contrast
_SHINY, _BURNT = 190.0, 245.0  # grey levels of the darkest colour between which a spot becomes a reflection
_DIM = 0.15  # how far reflections are pulled back towards their surroundings
_LIT = 20.0
LABEL = "enhanced for display, not the original"


def enhanced(image: Image) -> Image:
    """Return the picture with local contrast raised and reflections dimmed; show `LABEL` beside it.

    Reflections take no part in what their surroundings are compared with (normalised convolution, Knutsson
    and Westin 1993, doi 10.1109/CVPR.1993.341081), so that they neither darken the tissue around them nor
    grow; they are dimmed, never filled in: nothing that was not seen is drawn. Colours keep their ratios.

    Args:
        image: uint8 RGB, shape [h, w, 3], at least 48x48.

    Raises:
        ValueError: not an RGB uint8 image, or too small.
    """
    colour = checked_image(image).astype(np.float32)
    luma = colour @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    shiny = np.clip((colour.min(axis=2) - _SHINY) / (_BURNT - _SHINY), 0, 1)
    lit = np.clip(luma / _LIT - 1, 0, 1)
    weight = np.maximum((1 - shiny) * lit, 1e-3)
    reach = _LOCAL * min(luma.shape)
    around = ndimage.gaussian_filter(luma * weight, reach, truncate=2.0) / ndimage.gaussian_filter(
        weight, reach, truncate=2.0
    )
    raised = luma + _GAIN * (luma - around) * (1 - shiny) * lit - _DIM * shiny * np.maximum(luma - around, 0)
    ratio = np.clip(raised, 0, 255) / np.maximum(luma, 1.0)
    top = np.minimum(ratio, 255.0 / np.maximum(colour.max(axis=2), 1.0))  # or bright colours would change hue
    shown: Image = np.clip(colour * np.where(ratio > 1, top, ratio)[..., None] + 0.5, 0, 255).astype(np.uint8)
    return shown
