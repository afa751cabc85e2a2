"""Sound as a WAV file: the samples as the device sent them, and what is to be said about them."""

import io
import struct
import wave
from collections.abc import Sequence

from chevet.devices.samples import Samples
from chevet.edge.wfdb_record import FORMATS, plain_text, signal_bytes
from chevet.study.recording import fits


def wav_sound(values: Samples, rate_hz: float, comments: Sequence[str], *, least_bits: int = 16) -> bytes:
    """Return a PCM WAV file of `values` [channels, samples], 16, 24 or 32 bit, comments in its ICMT chunk.

    `least_bits` is what the device's full scale needs: a faint sound of 24 bits is not to be made a loud one
    of 16.

    Raises:
        ValueError: the rate is no whole number, which WAV cannot tell; or a sample needs more than 32 bits.
    """
    if rate_hz != round(rate_hz):
        raise ValueError("a WAV file's rate is a whole number")
    bits = next((bits for bits in FORMATS if bits >= least_bits and fits(values, bits)), 0)
    if not bits:
        raise ValueError("a sample needs more than 32 bits")
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(values.shape[0])
        file.setsampwidth(bits // 8)
        file.setframerate(round(rate_hz))
        file.writeframes(signal_bytes(values, bits))
    return _with_comment(out.getvalue(), "; ".join(comments))


def _with_comment(riff: bytes, comment: str) -> bytes:
    """Append LIST/INFO/ICMT (Multimedia Programming Interface and Data Specifications 1.0, 1991)."""
    text = plain_text(comment).encode("ascii") + b"\0"
    body = b"INFO" + _chunk(b"ICMT", text)
    whole = riff + b"\0" * (len(riff) % 2) + _chunk(b"LIST", body)
    return whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:]


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
