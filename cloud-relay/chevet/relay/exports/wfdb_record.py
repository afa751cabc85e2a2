"""A waveform as a WFDB record of exact samples, gaps as the format's own "no valid sample".

After PhysioNet's WFDB Applications Guide, header(5) and signal(5): formats 16, 24 and 32 are two's complement
with the least significant byte first, and the lowest number of each means that no sample was taken.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from chevet.devices.samples import Channel
from chevet.relay.exports.files import ExportFile, stem
from chevet.relay.exports.samples import Ints, arrived, extremes, frames, marked
from chevet.relay.exports.subject import LeftOut, Subject, moment
from chevet.study.recording import Recording, Waveform

HEADER, SIGNAL = "text/plain", "application/octet-stream"
UNITLESS = "NU"


def wfdb_files(subject: Subject) -> Iterator[ExportFile | LeftOut]:
    """Yield header and signal file of every waveform of a case."""
    for recording in subject.recordings():
        if isinstance(recording, LeftOut):
            yield recording
            continue
        for number, waveform in enumerate(recording.waveforms, 1):
            # WFDB names hold letters, digits and underscores alone
            name = f"{stem(subject, recording)}-{number}".replace("-", "_")
            yield from record(name, waveform, recording.started_ms, notes(subject, recording))
        if not recording.waveforms:
            yield LeftOut(recording.id, "no_waveform")


def notes(subject: Subject, recording: Recording) -> list[str]:
    """Return what the header says besides the signals: nothing that names the patient."""
    lines = [subject.statement, "times are UTC by the box's clock", f"step {recording.step}"]
    lines += [f"site {recording.site}"] if recording.site else []
    lines += [f"side {recording.side}"] if recording.side else []
    lines.append(f"device {recording.driver} {recording.device.get('model', '')}".strip())
    lines.append(f"quality {recording.quality.score:g} {' '.join(recording.quality.reasons)}".strip())
    return lines


def record(
    name: str, waveform: Waveform, started_ms: int, comments: Sequence[str]
) -> tuple[ExportFile, ExportFile] | tuple[LeftOut]:
    """Return the header and the signal file of one record.

    Args:
        name: letters, digits and underscores.
        waveform: its channels share a rate.
        started_ms: Unix ms of the first sample.
        comments: one line each; anything but printable ASCII is replaced.
    """
    if not waveform.values.size:
        return (LeftOut(name, "no_samples"),)
    bits = width_bits(waveform)
    if bits is None:
        return (LeftOut(name, "lowest_number_taken"),)
    there = arrived(waveform)
    values = marked(waveform.values, there, -(1 << (bits - 1)))
    head = header(name, waveform, values, bits, started_ms, comments)
    return (
        ExportFile(f"{name}.hea", HEADER, lambda: [head]),
        ExportFile(f"{name}.dat", SIGNAL, lambda: frames(values, bits // 8)),
    )


def width_bits(waveform: Waveform) -> int | None:
    """Return the narrowest format that holds every sample and leaves its lowest number free."""
    low, high = extremes(waveform)
    return next((bits for bits in (16, 24, 32) if -(1 << (bits - 1)) < low and high < 1 << (bits - 1)), None)


def header(
    name: str, waveform: Waveform, values: Ints, bits: int, started_ms: int, comments: Sequence[str]
) -> bytes:
    """Return the text of a header; `values` are as stored, invalid ones included."""
    began = moment(started_ms)
    clock = f"{began:%H:%M:%S}.{began.microsecond // 1000:03d} {began:%d/%m/%Y}"
    first = waveform.channels[0]
    lines = [f"{name} {len(values)} {decimal(first.rate_hz)} {values.shape[1]} {clock}"]
    remarks = list(comments)
    for channel, row in zip(waveform.channels, values, strict=True):
        lines.append(_signal(name, channel, row, bits))
        remarks += [f"{channel.name}: physical = sample * {channel.gain!r} + {channel.offset!r}"]
    remarks += [f"gap at sample {gap.first}: {gap.count} samples never arrived" for gap in waveform.gaps]
    lines += [f"# {ascii_line(remark)}" for remark in remarks]
    return ("\n".join(lines) + "\n").encode("ascii")


def _signal(name: str, channel: Channel, row: Ints, bits: int) -> str:
    unit = UNITLESS if channel.unit == "1" else ascii_line(channel.unit).replace(" ", "_")
    baseline = round(-channel.offset / channel.gain)
    # header(5): the sum of all samples, cut to 16 bits with their sign
    checksum = (int(row.sum(dtype=np.int64)) + (1 << 15)) % (1 << 16) - (1 << 15)
    scale = f"{decimal(1 / channel.gain)}({baseline})/{unit}"
    return f"{name}.dat {bits} {scale} {bits} 0 {int(row[0])} {checksum} 0 {ascii_line(channel.name)}"


def ascii_line(text: str) -> str:
    """Return `text` as one line of printable ASCII."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text)


def decimal(value: float) -> str:
    """Return a number without an exponent."""
    return str(np.format_float_positional(value, trim="-"))
