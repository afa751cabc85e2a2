"""Lossless waveforms: integer prediction and adaptive coding of what is left, or FLAC where that is smaller.

Layout (docs/formats.md): "CVW", version, flags, channels, samples; then FLAC streams in versions 1 (16 bits)
and 2 (32 bits), our own frames in 3 and 4. Limb leads that follow from I and II cost next to nothing.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from chevet.study.codec_flac import read_streams, write_streams
from chevet.study.codec_frame import read_frame, write_frame
from chevet.study.codec_limb import HALVINGS, predicted, without_limb_leads
from chevet.study.errors import BundleError
from chevet.study.recording import StoredSamples, fits

MAX_CHANNELS: Final = 64
MAX_BYTES: Final = 1 << 26
"""Of the samples of one recording, decoded: over two hours of sound at 4 kHz and 16 bits."""
MAX_SAMPLES: Final = MAX_BYTES // 2
"""Channels times samples of one waveform of 16 bits; of a wider one half as many."""
FRAME: Final = 1 << 19
"""Channels times samples of one frame: what has to be in memory at once."""

_VERSIONS: Final = {b"CVW\x01": 2, b"CVW\x02": 4, b"CVW\x03": 2, b"CVW\x04": 4}
"""Bytes a sample."""
_FLAC: Final = (b"CVW\x01", b"CVW\x02")
_HEAD: Final = struct.Struct("<4sBBI")
_LIMB: Final = 1  # first flag bit; two bits of rounding follow
_SPLIT: Final = 8  # fourth flag bit, version 2 only: low bytes stand apart


@dataclass(frozen=True, slots=True)
class Declared:
    """What the head of an encoded waveform says: `width` is bytes a sample, 2 or 4."""

    channels: int
    count: int
    width: int
    flags: int
    flac: bool

    @property
    def size(self) -> int:
        """Bytes of the decoded samples."""
        return self.channels * self.count * self.width


def encode_waveform(samples: StoredSamples, rate_hz: float) -> bytes:
    """Return samples as bytes, exact to the last bit; the same samples give the same bytes.

    Where the first six channels are limb leads in the order I, II, III, aVR, aVL, aVF, the last four travel
    as their difference from what I and II predict: all zero, and next to no bytes, where the identities hold.

    Args:
        samples: int16 or int32, shape [channels, samples], at most 64 channels.
        rate_hz: written into the FLAC header, rounded, for people who open the stream by hand.

    Raises:
        ValueError: the array has another shape or type, or is too large.
    """
    if samples.ndim != 2 or samples.dtype not in (np.int16, np.int32):
        raise ValueError("samples must be an int16 or int32 array of shape [channels, samples]")
    if samples.shape[0] > MAX_CHANNELS or samples.nbytes > MAX_BYTES:
        raise ValueError(f"at most {MAX_CHANNELS} channels and {MAX_BYTES} bytes of samples in all")
    halving, stored = without_limb_leads(samples)
    flags = 0 if halving is None else _LIMB | halving << 1
    flac = encode_flac(stored, rate_hz, flags)
    own = _encode_frames(stored, flags)
    return own if own is not None and len(own) < len(flac) else flac


def encode_flac(stored: StoredSamples, rate_hz: float, flags: int = 0) -> bytes:
    """Return rows as FLAC (versions 1 and 2); `flags` say what was done to them before."""
    if stored.dtype == np.int32 and not fits(stored, 24):
        flags |= _SPLIT
    magic = _FLAC[stored.itemsize == 4]
    return _HEAD.pack(magic, flags, *stored.shape) + write_streams(
        stored, rate_hz, split=bool(flags & _SPLIT)
    )


def _encode_frames(stored: StoredSamples, flags: int) -> bytes | None:
    """Return rows as frames (versions 3 and 4), None where these cannot hold them."""
    magic = b"CVW\x03" if stored.itemsize == 2 else b"CVW\x04"
    parts = [_HEAD.pack(magic, flags, *stored.shape)]
    for first, end in _frames(*stored.shape):
        try:
            frame = write_frame(stored[:, first:end].astype(np.int64))
        except OverflowError:
            return None
        parts += [struct.pack("<I", len(frame)), frame]
    return b"".join(parts)


def _frames(channels: int, count: int) -> Iterator[tuple[int, int]]:
    """Yield first and end of each frame: as few of one length as `FRAME` allows, the last may be shorter."""
    if channels * count:
        length = -(-count // -(-channels * count // FRAME))
        for first in range(0, count, length):
            yield first, min(first + length, count)


def decode_waveform(data: bytes) -> StoredSamples:
    """Return the samples, int16 or int32 as they were encoded, of shape [channels, samples].

    Raises:
        BundleError: the bytes are damaged, or declare more than `MAX_BYTES`.
    """
    head = declared(data)
    shape = (head.channels, head.count)
    stored: StoredSamples = np.zeros(shape, np.int16) if head.width == 2 else np.zeros(shape, np.int32)
    if head.flac:
        read_streams(data, _HEAD.size, stored, split=bool(head.flags & _SPLIT))
    else:
        _decode_frames(data, stored)
    if head.flags & _LIMB:
        stored[2:6] += predicted(stored, head.flags >> 1 & 3)
    return stored


def _decode_frames(data: bytes, into: StoredSamples) -> None:
    at = _HEAD.size
    for first, end in _frames(*into.shape):
        if len(data) < at + 4:
            raise BundleError("waveform_length")
        after = at + 4 + int(struct.unpack_from("<I", data, at)[0])
        if len(data) < after:
            raise BundleError("waveform_length")
        frame = read_frame(data[at + 4 : after], (len(into), end - first))
        if not fits(frame, 8 * into.itemsize):
            raise BundleError("waveform_stream")
        into[:, first:end] = frame
        at = after
    if at != len(data):
        raise BundleError("waveform_length")


def declared_shape(data: bytes) -> tuple[int, int]:
    """Return channels and samples as the header declares them.

    Raises:
        BundleError: the header is damaged.
    """
    head = declared(data)
    return head.channels, head.count


def declared(data: bytes) -> Declared:
    """Return all that the header declares.

    Raises:
        BundleError: the header is damaged, of another version, or declares more than `MAX_BYTES`.
    """
    if len(data) < _HEAD.size:
        raise BundleError("waveform_header")
    magic, flags, channels, count = _HEAD.unpack_from(data)
    head = Declared(channels, count, _VERSIONS.get(magic, 0), flags, magic in _FLAC)
    if not head.width or channels > MAX_CHANNELS or head.size > MAX_BYTES:
        raise BundleError("waveform_header")
    if flags >= (2 * _SPLIT if magic == _FLAC[1] else _SPLIT):
        raise BundleError("waveform_header")
    if flags & _LIMB and (channels < 6 or flags >> 1 & 3 >= len(HALVINGS)):
        raise BundleError("waveform_header")
    return head
