"""The heartbeats of an ECG that was recorded beside a sound, on the sound's own clock."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chevet.devices.samples import Channel, SampleBlock
from chevet.edge.journal import Journal
from chevet.edge.main_stream import belongs
from chevet.edge.recorded import physical
from chevet.signals.ecg import beats_of
from chevet.signals.quality import ecg_quality
from chevet.study.recording import Waveform

_FIRST_S = 60.0  # later blocks may follow a restart of the counter


def beats_beside(journal: Journal, laid: Sequence[Waveform]) -> NDArray[np.float64] | None:
    """Return the R peaks of the ECG in a capture, in samples of its main stream.

    Streams of one device have a counter each, so their clocks are laid together by when their blocks came:
    the one that was least under way tells when a stream began. In a file all streams share sample 0.

    Args:
        journal: of the capture.
        laid: its waveforms, the main one first.

    Returns:
        Ascending, shape [k]; None without an ECG, or where it is too short or too poor to trust its beats.
    """
    beside = next((one for one in laid[1:] if belongs("ecg", one.channels)), None)
    if beside is None:
        return None
    rate_hz = beside.channels[0].rate_hz
    names = tuple(channel.name for channel in beside.channels)
    leads = physical(beside)
    try:
        if not ecg_quality(leads, rate_hz, lead_names=names).usable:
            return None
        peaks = beats_of(leads, rate_hz, names)
    except ValueError:  # too short or too slow for the signals, which say so
        return None
    later_s = 0.0 if journal.source is not None else _later_s(journal, laid[0].channels, beside.channels)
    return (peaks / rate_hz + later_s) * laid[0].channels[0].rate_hz


def _later_s(journal: Journal, one: tuple[Channel, ...], other: tuple[Channel, ...]) -> float:
    """Seconds by which the other stream began later."""
    return _began(journal, other) - _began(journal, one)


def _began(journal: Journal, channels: tuple[Channel, ...]) -> float:
    """Host time of a stream's first sample, by the blocks of its first minute."""
    blocks = [
        event
        for event in journal.events
        if isinstance(event, SampleBlock) and event.channels == channels and event.values.shape[1]
    ]
    rate_hz, base = channels[0].rate_hz, blocks[0].first
    began = [
        float(block.at - (block.first - base + block.values.shape[1]) / rate_hz)
        for block in blocks
        if 0 <= block.first - base <= _FIRST_S * rate_hz
    ]
    return min(began)
