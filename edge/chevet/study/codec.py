"""Lossless waveforms: FLAC streams with limb leads predicted from I and II.

Layout (docs/formats.md): "CVW", version, flags, channels, samples, then FLAC streams of at most 8 channels.
FLAC because libsndfile and every audio tool will read it for ever; the kit's int16 fits its samples exactly.
"""

import io
import struct
from typing import cast

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from chevet.study.errors import BundleError

Int16 = NDArray[np.int16]

MAX_CHANNELS = 64
MAX_SAMPLES = 1 << 25
"""Channels times samples of one waveform: 64 MiB, over two hours of sound at 4 kHz."""

_MAGIC = b"CVW\x01"
_HEAD = struct.Struct("<4sBBI")
_STREAM_CHANNELS = 8  # the most one FLAC stream carries (RFC 9639 section 9.1.3)
_FLAC_RATES = (1, 65_535)  # higher ones FLAC takes only in certain steps
_LIMB = 1  # first flag bit; two bits of rounding follow


def encode_waveform(samples: Int16, rate_hz: float) -> bytes:
    """Return samples as bytes, exact to the last bit.

    Where the first six channels are limb leads in the order I, II, III, aVR, aVL, aVF, the last four travel
    as their difference from what I and II predict: all zero, and next to no bytes, where the identities hold.

    Args:
        samples: int16, shape [channels, samples], at most 64 channels.
        rate_hz: written into the FLAC header, rounded, for people who open the stream by hand.

    Raises:
        ValueError: the array has another shape or type, or is too large.
    """
    if samples.ndim != 2 or samples.dtype != np.int16:
        raise ValueError("samples must be an int16 array of shape [channels, samples]")
    channels, count = samples.shape
    if channels > MAX_CHANNELS or samples.size > MAX_SAMPLES:
        raise ValueError(f"at most {MAX_CHANNELS} channels and {MAX_SAMPLES} samples in all")
    flags, stored = _without_limb_leads(samples)
    parts = [_HEAD.pack(_MAGIC, flags, channels, count)]
    if samples.size:
        for first in range(0, channels, _STREAM_CHANNELS):
            stream = _flac(stored[first : first + _STREAM_CHANNELS], rate_hz)
            parts += [struct.pack("<I", len(stream)), stream]
    return b"".join(parts)


def decode_waveform(data: bytes) -> Int16:
    """Return the samples, int16 of shape [channels, samples].

    Raises:
        BundleError: the bytes are damaged, or declare more than `MAX_SAMPLES`.
    """
    flags, channels, count = _head(data)
    stored = np.zeros((channels, count), np.int16)
    at = _HEAD.size
    if stored.size:
        for first in range(0, channels, _STREAM_CHANNELS):
            at = _read_stream(data, at, stored[first : first + _STREAM_CHANNELS])
    if at != len(data):
        raise BundleError("waveform_length")
    if flags & _LIMB:
        stored[2:6] += _predicted(stored, flags >> 1)
    return stored


def declared_shape(data: bytes) -> tuple[int, int]:
    """Return channels and samples as the header declares them.

    Raises:
        BundleError: the header is damaged.
    """
    _, channels, count = _head(data)
    return channels, count


def _head(data: bytes) -> tuple[int, int, int]:
    if len(data) < _HEAD.size:
        raise BundleError("waveform_header")
    magic, flags, channels, count = _HEAD.unpack_from(data)
    if magic != _MAGIC or flags > 7 or channels > MAX_CHANNELS or channels * count > MAX_SAMPLES:
        raise BundleError("waveform_header")
    if flags & _LIMB and (channels < 6 or flags >> 1 >= len(_HALVINGS)):
        raise BundleError("waveform_header")
    return flags, channels, count


def _flac(block: Int16, rate_hz: float) -> bytes:
    rate = int(min(max(round(rate_hz), _FLAC_RATES[0]), _FLAC_RATES[1]))
    out = io.BytesIO()
    sf.write(out, block.T, rate, format="FLAC", subtype="PCM_16", compression_level=1.0)
    return out.getvalue()


def _read_stream(data: bytes, at: int, into: Int16) -> int:
    """Decode the stream at `at` into rows of `into`; return where the next begins."""
    if len(data) < at + 4:
        raise BundleError("waveform_length")
    end = at + 4 + cast("int", struct.unpack_from("<I", data, at)[0])
    if end > len(data) or data[at + 4 : at + 8] != b"fLaC":
        raise BundleError("waveform_length")
    try:
        with sf.SoundFile(io.BytesIO(data[at + 4 : end])) as file:
            if (file.channels, file.frames, file.subtype) != (len(into), into.shape[1], "PCM_16"):
                raise BundleError("waveform_shape")
            block = file.read(into.shape[1], dtype="int16", always_2d=True)
    except (sf.SoundFileError, ValueError, TypeError):
        raise BundleError("waveform_stream") from None
    if block.shape != into.T.shape:
        raise BundleError("waveform_shape")
    into[:] = block.T
    return end


def _floor(x: NDArray[np.int32]) -> NDArray[np.int32]:
    return x >> 1


def _toward_zero(x: NDArray[np.int32]) -> NDArray[np.int32]:
    return (x + (x < 0)) >> 1


def _half_to_even(x: NDArray[np.int32]) -> NDArray[np.int32]:
    return (x + (x >> 1 & 1)) >> 1


_HALVINGS = (_floor, _toward_zero, _half_to_even)
"""How an instrument may have halved an odd integer; the index travels in the flags."""


def _predicted(rows: Int16, halving: int) -> Int16:
    """Return III, aVR, aVL, aVF from I and II (Einthoven, Goldberger), wrapped to 16 bits."""
    one, two = rows[0].astype(np.int32), rows[1].astype(np.int32)
    half = _HALVINGS[halving]
    return np.stack([two - one, half(-one - two), half(2 * one - two), half(2 * two - one)]).astype(np.int16)


def _without_limb_leads(samples: Int16) -> tuple[int, Int16]:
    """Return the flags and the rows to store: unchanged unless prediction makes them smaller."""
    if samples.shape[0] < 6:
        return 0, samples
    stored = samples.copy()
    best, flags = _energy(np.diff(samples[2:6])), 0
    for halving in range(len(_HALVINGS)):
        rest = samples[2:6] - _predicted(samples, halving)
        if (energy := _energy(rest)) < best:
            best, flags = energy, _LIMB | halving << 1
            stored[2:6] = rest
    return flags, stored


def _energy(values: Int16) -> int:
    return int(np.abs(values.astype(np.int64)).sum())
