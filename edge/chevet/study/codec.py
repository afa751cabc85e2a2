"""Lossless waveforms: FLAC streams with limb leads predicted from I and II.

Layout (docs/formats.md): "CVW", version, flags, channels, samples, then FLAC streams of at most 8 channels.
FLAC because libsndfile and every audio tool will read it for ever; the kit's int16 fits its samples exactly.
Version 1 holds int16, version 2 int32: in 24-bit streams where that is enough, else with the lowest 8 bits
of every sample in a stream of their own, since libsndfile writes no wider FLAC.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from chevet.study.errors import BundleError
from chevet.study.recording import StoredSamples, fits

Wider = NDArray[np.int32] | NDArray[np.int64]

MAX_CHANNELS = 64
MAX_BYTES = 1 << 26
"""Of the samples of one recording, decoded: over two hours of sound at 4 kHz and 16 bits."""
MAX_SAMPLES = MAX_BYTES // 2
"""Channels times samples of one waveform of 16 bits; of a wider one half as many."""

_MAGIC = {2: b"CVW\x01", 4: b"CVW\x02"}  # by bytes a sample
_HEAD = struct.Struct("<4sBBI")
_STREAM_CHANNELS = 8  # the most one FLAC stream carries (RFC 9639 section 9.1.3)
_FLAC_RATES = (1, 65_535)  # higher ones FLAC takes only in certain steps
_LIMB = 1  # first flag bit; two bits of rounding follow
_SPLIT = 8  # fourth flag bit: low bytes stand apart
_LOW_BITS = 8


@dataclass(frozen=True, slots=True)
class Declared:
    """What the head of an encoded waveform says: `width` is bytes a sample, 2 or 4."""

    channels: int
    count: int
    width: int
    flags: int

    @property
    def size(self) -> int:
        """Bytes of the decoded samples."""
        return self.channels * self.count * self.width


def encode_waveform(samples: StoredSamples, rate_hz: float) -> bytes:
    """Return samples as bytes, exact to the last bit.

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
    channels, count = samples.shape
    if channels > MAX_CHANNELS or samples.nbytes > MAX_BYTES:
        raise ValueError(f"at most {MAX_CHANNELS} channels and {MAX_BYTES} bytes of samples in all")
    flags, stored = _without_limb_leads(samples)
    if stored.dtype == np.int32 and not fits(stored, 24):
        flags |= _SPLIT
    parts = [_HEAD.pack(_MAGIC[samples.itemsize], flags, channels, count)]
    for block in _blocks(stored):
        for stream in _streams(block, rate_hz, split=bool(flags & _SPLIT)):
            parts += [struct.pack("<I", len(stream)), stream]
    return b"".join(parts)


def decode_waveform(data: bytes) -> StoredSamples:
    """Return the samples, int16 or int32 as they were encoded, of shape [channels, samples].

    Raises:
        BundleError: the bytes are damaged, or declare more than `MAX_BYTES`.
    """
    head = declared(data)
    shape = (head.channels, head.count)
    stored: StoredSamples = np.zeros(shape, np.int16) if head.width == 2 else np.zeros(shape, np.int32)
    at = _HEAD.size
    for block in _blocks(stored):
        at = _read_streams(data, at, block, split=bool(head.flags & _SPLIT))
    if at != len(data):
        raise BundleError("waveform_length")
    if head.flags & _LIMB:
        stored[2:6] += _predicted(stored, head.flags >> 1 & 3)
    return stored


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
    width = next((width for width, known in _MAGIC.items() if magic == known), 0)
    head = Declared(channels, count, width, flags)
    if not width or channels > MAX_CHANNELS or head.size > MAX_BYTES:
        raise BundleError("waveform_header")
    if flags >= (_SPLIT if width == 2 else 2 * _SPLIT):
        raise BundleError("waveform_header")
    if flags & _LIMB and (channels < 6 or flags >> 1 & 3 >= len(_HALVINGS)):
        raise BundleError("waveform_header")
    return head


def _blocks(values: StoredSamples) -> Iterator[StoredSamples]:
    """Yield the rows of each stream; none where there is not one sample."""
    if values.size:
        for first in range(0, len(values), _STREAM_CHANNELS):
            yield values[first : first + _STREAM_CHANNELS]


def _streams(block: StoredSamples, rate_hz: float, *, split: bool) -> Iterator[bytes]:
    if block.dtype == np.int16:
        yield _flac(block, rate_hz, "PCM_16")
    elif split:
        yield _flac(block >> _LOW_BITS << 8, rate_hz, "PCM_24")
        yield _flac((block & 0xFF).astype(np.int16), rate_hz, "PCM_16")
    else:
        # libsndfile takes the upper 24 of 32 bits.
        yield _flac(block << 8, rate_hz, "PCM_24")


def _flac(block: StoredSamples, rate_hz: float, subtype: str) -> bytes:
    rate = int(min(max(round(rate_hz), _FLAC_RATES[0]), _FLAC_RATES[1]))
    out = io.BytesIO()
    sf.write(out, block.T, rate, format="FLAC", subtype=subtype, compression_level=1.0)
    return out.getvalue()


def _read_streams(data: bytes, at: int, into: StoredSamples, *, split: bool) -> int:
    """Decode the streams of one block at `at` into it; return where the next begins."""
    if into.dtype == np.int16:
        into[:], at = _read_stream(data, at, into.shape, "PCM_16")
        return at
    high, at = _read_stream(data, at, into.shape, "PCM_24")
    into[:] = high >> 8
    if split:
        low, at = _read_stream(data, at, into.shape, "PCM_16")
        if low.min() < 0 or low.max() > 0xFF:
            raise BundleError("waveform_stream")
        into[:] = into << _LOW_BITS | low
    return at


def _read_stream(data: bytes, at: int, shape: tuple[int, ...], subtype: str) -> tuple[StoredSamples, int]:
    """Decode the stream at `at`; return its samples [channels, samples] and where the next begins."""
    if len(data) < at + 4:
        raise BundleError("waveform_length")
    end = at + 4 + cast("int", struct.unpack_from("<I", data, at)[0])
    if end > len(data) or data[at + 4 : at + 8] != b"fLaC":
        raise BundleError("waveform_length")
    try:
        with sf.SoundFile(io.BytesIO(data[at + 4 : end])) as file:
            if (file.channels, file.frames, file.subtype) != (*shape, subtype):
                raise BundleError("waveform_shape")
            dtype = "int16" if subtype == "PCM_16" else "int32"
            block: StoredSamples = file.read(shape[1], dtype=dtype, always_2d=True)
    except (sf.SoundFileError, ValueError, TypeError):
        raise BundleError("waveform_stream") from None
    if block.shape != shape[::-1]:
        raise BundleError("waveform_shape")
    return block.T, end


def _floor(x: Wider) -> Wider:
    return x >> 1


def _toward_zero(x: Wider) -> Wider:
    return (x + (x < 0)) >> 1


def _half_to_even(x: Wider) -> Wider:
    return (x + (x >> 1 & 1)) >> 1


_HALVINGS = (_floor, _toward_zero, _half_to_even)
"""How an instrument may have halved an odd integer; the index travels in the flags."""


def _predicted(rows: StoredSamples, halving: int) -> StoredSamples:
    """Return III, aVR, aVL, aVF from I and II (Einthoven, Goldberger), wrapped to the width of `rows`."""
    wider = np.int32 if rows.dtype == np.int16 else np.int64
    one, two = rows[0].astype(wider), rows[1].astype(wider)
    half = _HALVINGS[halving]
    limb = np.stack([two - one, half(-one - two), half(2 * one - two), half(2 * two - one)])
    return cast("StoredSamples", limb.astype(rows.dtype))


def _without_limb_leads(samples: StoredSamples) -> tuple[int, StoredSamples]:
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


def _energy(values: StoredSamples) -> int:
    return int(np.abs(values.astype(np.int64)).sum())
