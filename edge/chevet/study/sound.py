"""Sound to listen to: Ogg Opus that browsers play, and WAV of the exact samples.

Opus in `audio` mode, which libsndfile uses, is flat down to 20 Hz; `voip` mode would cut 20-60 Hz by 7 dB and
with it most of a heart sound. 16 kbit/s is the top of what libopus codes with its linear predictor; above it
switches to the transform coder, which is larger and worse on heart and lung sounds (correlation with the
original in 150-400 Hz on CinC 2016 recordings: 0.997 at 16 kbit/s, 0.88-0.94 at 20 and 24). At 16 kbit/s
tones come back within 0.2 dB, but what the coder cannot follow, noise, comes back 0.3 to 1.2 dB weaker;
0.3 dB given beforehand keep both within 1 dB from 20 to 800 Hz.
"""

import io
from fractions import Fraction
from typing import Final

import numpy as np
import soundfile as sf
from numpy.typing import NDArray
from scipy.signal import resample_poly

from chevet.study.ogg import plain
from chevet.study.recording import Waveform, fits

OGG: Final = "audio/ogg"
DIAGNOSTIC_BITS: Final = 16_000
PREVIEW_BITS: Final = 6_000
MAKE_UP_DB: Final = 0.3
"""Of the listening layer: half of what noise loses."""
PREVIEW_BYTES: Final = 3_993
"""3.9 KiB: with its head and tag a preview fits one chunk."""
_RATES: Final = (8_000, 12_000, 16_000, 24_000, 48_000)  # what Opus takes, RFC 6716 section 2
_LOWEST_BITS: Final = 6_000  # libsndfile maps compression level 1..0 to 6..256 kbit/s per channel
_MOST_BITS: Final = 256_000
_BITS: Final = (16, 24, 32)
_ROUNDED: Final = 1e-3
_SOUND_FROM_HZ: Final = 2_000
_PREVIEW_LONGEST_S: Final = 7.0  # more than 3.9 KiB ever held of a real recording


def is_sound(waveform: Waveform) -> bool:
    """Return whether a waveform is meant for the ear: without physical unit, sampled fast enough."""
    channels = waveform.channels
    return bool(channels) and all(item.unit == "1" and item.rate_hz >= _SOUND_FROM_HZ for item in channels)


def diagnostic_sound(waveform: Waveform) -> bytes:
    """Return the whole first channel as Ogg Opus for listening, flat within 1 dB from 20 to 800 Hz."""
    louder = _linear(waveform) * 10 ** (MAKE_UP_DB / 20)
    return _opus(louder, waveform.channels[0].rate_hz, DIAGNOSTIC_BITS)


def preview_sound(waveform: Waveform) -> bytes:
    """Return the beginning of the first channel as Ogg Opus, as much of it as fits 3.9 KiB."""
    rate_hz = waveform.channels[0].rate_hz
    samples = _linear(waveform)[: int(_PREVIEW_LONGEST_S * rate_hz)]
    data = _opus(samples, rate_hz, PREVIEW_BITS)
    while len(data) > PREVIEW_BYTES:
        samples = samples[: int(len(samples) * min(PREVIEW_BYTES / len(data), 0.95))]
        data = _opus(samples, rate_hz, PREVIEW_BITS)
    return data


def wav(waveform: Waveform) -> bytes:
    """Return the exact samples as a WAV file of 16, 24 or 32 bits, whichever holds them all."""
    out = io.BytesIO()
    rate = max(round(waveform.channels[0].rate_hz), 1)
    bits = _bits(waveform)
    values = waveform.values
    if bits > 16:
        # libsndfile takes the upper 24 of 32 bits.
        values = values.astype(np.int32) << (32 - bits)
    sf.write(out, values.T, rate, format="WAV", subtype=f"PCM_{bits}")
    return out.getvalue()


def told_bits(gain: float) -> int:
    """Return the bits of full scale, 16, 24 or 32, when a channel's gain tells that it is 1; else 16.

    A device may round the gain that it tells.
    """
    return next((bits for bits in _BITS if abs(gain * 2.0 ** (bits - 1) - 1.0) < _ROUNDED), _BITS[0])


def _bits(waveform: Waveform) -> int:
    """Return the bits of full scale: as the device has it, so that faint stays faint, or as needed."""
    needed = next(bits for bits in _BITS if fits(waveform.values, bits))
    return max(needed, told_bits(waveform.channels[0].gain))


def _linear(waveform: Waveform) -> NDArray[np.float64]:
    """Return the first channel with full scale at 1."""
    full = float(1 << (_bits(waveform) - 1))
    scaled: NDArray[np.float64] = waveform.values[0] / full
    return scaled


def _opus(samples: NDArray[np.float64], rate_hz: float, bits: int) -> bytes:
    out = io.BytesIO()
    level = 1.0 - (bits - _LOWEST_BITS) / (_MOST_BITS - _LOWEST_BITS)
    rate = next((item for item in _RATES if item >= rate_hz), _RATES[-1])
    sf.write(
        out, _resampled(samples, rate_hz, rate), rate, format="OGG", subtype="OPUS", compression_level=level
    )
    return plain(out.getvalue())


def _resampled(samples: NDArray[np.float64], rate_hz: float, rate: int) -> NDArray[np.float64]:
    ratio = Fraction(rate / rate_hz).limit_denominator(1000)
    if ratio != 1:
        samples = resample_poly(samples, ratio.numerator, ratio.denominator)
    return np.clip(samples, -1.0, 32767 / 32768)
