"""Waveforms as FLAC streams of at most 8 channels, which libsndfile and every audio tool will read for ever.

Samples of 16 bits fit exactly. Wider ones go into streams of 24 bits where that is enough, else with the
lowest 8 bits of every sample in a stream of their own, since libsndfile writes no wider FLAC.
"""

import io
import struct
from collections.abc import Iterator
from typing import cast

import numpy as np
import soundfile as sf

from chevet.study.errors import BundleError
from chevet.study.recording import StoredSamples

_STREAM_CHANNELS = 8  # the most one FLAC stream carries (RFC 9639 section 9.1.3)
_FLAC_RATES = (1, 65_535)  # higher ones FLAC takes only in certain steps
_LOW_BITS = 8


def write_streams(rows: StoredSamples, rate_hz: float, *, split: bool) -> bytes:
    """Return rows [channels, samples] as streams, each after its length; `split` sets the low bytes apart."""
    parts = []
    for block in _blocks(rows):
        for stream in _streams(block, rate_hz, split=split):
            parts += [struct.pack("<I", len(stream)), stream]
    return b"".join(parts)


def read_streams(data: bytes, at: int, into: StoredSamples, *, split: bool) -> None:
    """Decode all streams from `at` on into rows [channels, samples].

    Raises:
        BundleError: the bytes are damaged, or hold another number of samples.
    """
    for block in _blocks(into):
        at = _read_streams(data, at, block, split=split)
    if at != len(data):
        raise BundleError("waveform_length")


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
