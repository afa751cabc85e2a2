"""Rows that several formats share: a waveform without its samples, a reading."""

import numpy as np

from chevet.devices.samples import Channel, Reading
from chevet.study.cbor import Row, Value
from chevet.study.errors import BundleError
from chevet.study.recording import Gap, Waveform

_LATEST_S = 86_400.0  # no stream of a visit begins a day after another


def waveform_row(waveform: Waveform) -> Value:
    """Return channels, samples per channel and gaps; and bytes a sample, where they are not two.

    A waveform that begins later than its recording says so in its first channel, where readers that do not
    know of it leave it aside.
    """
    channels: list[Value] = [
        [item.name, item.unit, item.rate_hz, item.gain, item.offset] for item in waveform.channels
    ]
    if waveform.later_s and isinstance(channels[0], list):
        channels[0].append(waveform.later_s)
    width: list[Value] = [] if waveform.values.itemsize == 2 else [waveform.values.itemsize]
    return [channels, waveform.values.shape[1], [[gap.first, gap.count] for gap in waveform.gaps], *width]


def read_waveform_row(row: Row) -> tuple[Waveform, int]:
    """Return a waveform without samples but of their type, and how many each channel has.

    Raises:
        BundleError: a field has the wrong type, or a gap lies outside the samples.
    """
    rows = row.rows()
    channels = tuple(_read_channel(item) for item in rows)
    later_s = rows[0].number() if rows and rows[0].more() else 0.0
    count = row.whole(high=1 << 32)
    gaps = tuple(Gap(item.whole(), item.whole()) for item in row.rows())
    if any(gap.first + gap.count > count for gap in gaps):
        raise BundleError("gap_outside")
    width = row.whole(4, 4) if row.more() else 2
    none = np.zeros((len(channels), 0), np.int16 if width == 2 else np.int32)
    if not abs(later_s) <= _LATEST_S:
        raise BundleError("wrong_type")
    return Waveform(channels, none, gaps, later_s), count


def _read_channel(row: Row) -> Channel:
    return Channel(row.text(), row.text(), row.number(), row.number(), row.number())


def reading_row(reading: Reading) -> Value:
    """Return one reading as it travels."""
    return [reading.kind, reading.value, reading.unit, reading.at, list(reading.status)]


def read_reading(row: Row) -> Reading:
    """Return one reading.

    Raises:
        BundleError: a field has the wrong type.
    """
    return Reading(row.text(), row.number_or_none(), row.text(), row.number(), row.texts())
