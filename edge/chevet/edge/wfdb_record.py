"""A signal as a WFDB record: a header in text and the samples as the device sent them.

Written to the formats of PhysioNet's WFDB Applications Guide, header(5) and signal(5).
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from chevet.devices.samples import Channel, Samples

FORMATS = (16, 24, 32)
"""Two's complement, least significant byte first, in so many bits."""


def sample_format(values: Samples) -> int:
    """Return the narrowest format that holds every sample exactly.

    The lowest number of each format means "no valid sample" to readers (signal(5)), so a device's own
    sample of that value needs the next wider one.

    Raises:
        ValueError: a sample needs more than 32 bits.
    """
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    for bits in FORMATS:
        if -(1 << (bits - 1)) < low and high < 1 << (bits - 1):
            return bits
    raise ValueError("a sample needs more than 32 bits")


def signal_bytes(values: Samples, bits: int) -> bytes:
    """Return `values` [channels, samples] as a signal file: one sample of each channel, then the next."""
    frames: NDArray[np.int32] = np.ascontiguousarray(values.T, "<i4")
    return frames.view(np.uint8).reshape(-1, 4)[:, : bits // 8].tobytes()


def wfdb_record(
    name: str, channels: Sequence[Channel], values: Samples, started_ms: int, comments: Sequence[str]
) -> tuple[bytes, bytes]:
    """Return the header (.hea) and the samples (.dat) of record `name`.

    Args:
        name: letters, digits and underscores.
        channels: one per row of `values`; they share a rate.
        values: the device's integers, shape [channels, samples], at least one sample.
        started_ms: Unix ms of the first sample; written as UTC.
        comments: one line each; anything but printable ASCII is replaced.

    Raises:
        ValueError: a sample needs more than 32 bits.
    """
    bits = sample_format(values)
    began = datetime.fromtimestamp(started_ms / 1000, UTC)
    rate = _number(channels[0].rate_hz)
    clock = f"{began:%H:%M:%S}.{began.microsecond // 1000:03d} {began:%d/%m/%Y}"
    lines = [f"{name} {len(channels)} {rate} {values.shape[1]} {clock}"]
    notes = ["times are UTC", *comments]
    for channel, row in zip(channels, values, strict=True):
        line, note = _signal_line(name, channel, row, bits)
        lines.append(line)
        notes += [note] if note else []
    lines += [f"# {plain_text(note)}" for note in notes]
    return ("\n".join(lines) + "\n").encode("ascii"), signal_bytes(values, bits)


def plain_text(text: str) -> str:
    """Return `text` on one line of printable ASCII; what devices say of themselves may hold anything."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text)


def _signal_line(name: str, channel: Channel, row: Samples, bits: int) -> tuple[str, str]:
    exact = -channel.offset / channel.gain
    baseline = round(exact)
    unit = "NU" if channel.unit == "1" else plain_text(channel.unit).replace(" ", "_")
    # header(5) wants the sum of all samples, cut to 16 bits with their sign.
    checksum = (int(row.sum(dtype=np.int64)) + 32768) % 65536 - 32768
    line = (
        f"{name}.dat {bits} {_number(1 / channel.gain)}({baseline})/{unit} {bits} 0 {int(row[0])} {checksum}"
        f" 0 {plain_text(channel.name)}"
    )
    if abs(exact - baseline) < 1e-6:
        return line, ""
    return line, f"{channel.name}: physical value = sample * {channel.gain!r} + {channel.offset!r}, exactly"


def _number(value: float) -> str:
    return str(np.format_float_positional(value, trim="-"))
