"""A few seconds of an otoscope as a small film: an AVIF image sequence, which browsers play in an <img>.

AV1 through Pillow, which stills need already: 5 s of 640 x 480 at 12.5 pictures a second take 60 to 90 KB at
41 dB and 0.8 s of one x86 core. OpenCV's VideoWriter has no way to ask for a size (it wrote 2.6 MB of VP8),
and FFmpeg through PyAV would be 35 MB more to install.
"""

import io
import struct
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from PIL import Image, features

from chevet.study.picture import AVIF, opened
from chevet.study.recording import StoredClip

SECONDS: Final = 5.0
RATE_HZ: Final = 12.5
MAX_BYTES: Final = 250_000
SIZE: Final = (640, 480)
_QUALITIES: Final = (55, 35, 15, 1)
_SPEED: Final = 10  # the fastest: a Pi shall have done it before the next ear
_LEAST: Final = 2

_TIMED: Final = {b"mvhd", b"tkhd", b"mdhd"}
_HOLDERS: Final = {b"moov", b"trak", b"mdia"}


def encode_clip(frames: Sequence[tuple[float, bytes]]) -> StoredClip | None:
    """Return a clip of at most 250 KB; None where there is nothing to move or nothing to encode with.

    Args:
        frames: times from the recording's start in seconds, ascending, and the camera's bytes. Each is shown
            until the next came, so a pause of the camera is a pause of the clip.
    """
    if not features.check("avif"):
        return None
    images = [(at_s, image) for at_s, data in frames if (image := _fitted(data)) is not None]
    if len(images) < _LEAST:
        return None
    first_s = images[0][0]
    size = images[0][1].size
    stills = [image if image.size == size else image.resize(size) for _, image in images]
    times = [round((at_s - first_s) * 1000) for at_s, _ in images]
    shown = [max(after - before, 1) for before, after in pairwise(times)]
    shown.append(round(1000 / RATE_HZ))
    for quality in _QUALITIES:
        data = _sequence(stills, shown, quality)
        if len(data) <= MAX_BYTES:
            return StoredClip(data, AVIF, round(first_s, 3), sum(shown) / 1000)
    return None


def clip_times(times: Sequence[float], middle_s: float) -> list[int]:
    """Return which of the frames at these times make a clip: 5 s about `middle_s`, at most 12.5 a second."""
    if not times:
        return []
    start = max(min(middle_s - SECONDS / 2, times[-1] - SECONDS), times[0])
    chosen: list[int] = []
    for index, at_s in enumerate(times):
        due = not chosen or at_s - times[chosen[-1]] >= 0.9 / RATE_HZ  # a camera's clock may be a little fast
        if start <= at_s < start + SECONDS and due:
            chosen.append(index)
    return chosen


def _fitted(data: bytes) -> Image.Image | None:
    image = opened(data)
    if image is None:
        return None
    image.thumbnail(SIZE, Image.Resampling.BILINEAR)
    return image


def _sequence(stills: Sequence[Image.Image], shown_ms: list[int], quality: int) -> bytes:
    out = io.BytesIO()
    stills[0].save(
        out,
        "AVIF",
        save_all=True,
        append_images=stills[1:],
        duration=shown_ms,
        quality=quality,
        speed=_SPEED,
        max_threads=1,
    )
    return _timeless(out.getvalue())


def _timeless(data: bytes) -> bytes:
    """Return the file without the moment of its making, so that equal frames give equal bytes.

    ISO/IEC 14496-12, sections 8.2.2, 8.3.2 and 8.4.2.
    """
    out = bytearray(data)
    for at in _timed_boxes(data, 0, len(data)):
        size = 16 if data[at] == 1 else 8  # creation and modification, of 64 or of 32 bits
        out[at + 4 : at + 4 + size] = bytes(size)
    return bytes(out)


def _timed_boxes(data: bytes, start: int, end: int) -> Iterator[int]:
    """Yield where the content of every box that tells a time begins: its version byte."""
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        if size < 8:
            return
        if kind in _HOLDERS:
            yield from _timed_boxes(data, start + 8, start + size)
        elif kind in _TIMED:
            yield start + 8
        start += size
