"""Rows that several formats share: a waveform without its samples, a reading."""

import numpy as np

from chevet.devices.samples import Channel, Reading
from chevet.study.cbor import Row, Value
from chevet.study.errors import BundleError
from chevet.study.recording import Gap, Waveform


def waveform_row(waveform: Waveform) -> Value:
    """Return channels, samples per channel and gaps; and bytes a sample, where they are not two."""
    channels = [[item.name, item.unit, item.rate_hz, item.gain, item.offset] for item in waveform.channels]
    width: list[Value] = [] if waveform.values.itemsize == 2 else [waveform.values.itemsize]
    return [channels, waveform.values.shape[1], [[gap.first, gap.count] for gap in waveform.gaps], *width]


def read_waveform_row(row: Row) -> tuple[Waveform, int]:
    """Return a waveform without samples but of their type, and how many each channel has.

    Raises:
        BundleError: a field has the wrong type, or a gap lies outside the samples.
    """
    channels = tuple(_read_channel(item) for item in row.rows())
    count = row.whole(high=1 << 32)
    gaps = tuple(Gap(item.whole(), item.whole()) for item in row.rows())
    if any(gap.first + gap.count > count for gap in gaps):
        raise BundleError("gap_outside")
    width = row.whole(4, 4) if row.more() else 2
    none = np.zeros((len(channels), 0), np.int16 if width == 2 else np.int32)
    return Waveform(channels, none, gaps), count


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
