"""Pictures made easier to look at, and the single pictures of a clip. The stored bytes stay as they are."""

import io
import warnings
from functools import lru_cache

import numpy as np
from PIL import Image, ImageSequence, UnidentifiedImageError

from chevet.signals.picture_display import enhanced

MOST_PIXELS = 24_000_000
QUALITY = 92
CLIPS = 4
"""Clips taken apart that are kept in memory, some MB each: a reader scrubs one at a time."""


def enhanced_jpeg(data: bytes) -> bytes:
    """Return the picture with reflections dimmed and local contrast raised, as JPEG.

    Raises:
        ValueError: the bytes are no picture, or too small or too large a one.
    """
    return _jpeg(Image.fromarray(enhanced(np.asarray(_opened(data).convert("RGB"), dtype=np.uint8))))


@lru_cache(CLIPS)
def clip_frames(data: bytes) -> tuple[tuple[float, bytes], ...]:
    """Take a clip apart into (seconds from its beginning, JPEG).

    Raises:
        ValueError: the bytes are no film.
    """
    film = _opened(data)
    frames: list[tuple[float, bytes]] = []
    at_s = 0.0
    try:
        for frame in ImageSequence.Iterator(film):
            frames.append((round(at_s, 3), _jpeg(frame.convert("RGB"))))
            at_s += float(frame.info.get("duration", 0)) / 1000
    except (OSError, EOFError, SyntaxError) as error:
        raise ValueError("the clip is damaged") from error
    return tuple(frames)


def _opened(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data))
            if image.width * image.height > MOST_PIXELS:
                raise ValueError("the picture is too large to work on")
            image.load()
    except (OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError, Warning) as error:
        raise ValueError("the bytes are no picture") from error
    return image


def _jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
