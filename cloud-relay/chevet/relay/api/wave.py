"""Wave frames, as docs/api.md lays them out: version, kind, header length, JSON header, samples."""

import json
import struct
from collections.abc import Sequence
from typing import Any

from chevet.devices.samples import Channel
from chevet.study.recording import StoredSamples, Waveform

VERSION = 1
SAMPLES = 1
ALIGNMENT = 4


def wave_frame(waveform: Waveform, recording: str, layer: str, at_ms: int) -> bytes:
    """Return one binary frame with every sample of `waveform`.

    Args:
        waveform: int16 or int32 samples, shape [channels, samples]; all channels at one rate.
        recording: its recording's id.
        layer: "preview" or "lossless".
        at_ms: Unix ms of the recording's start.
    """
    first, width = waveform.channels[0], waveform.values.itemsize
    header = {
        "device": "",
        "recording": recording,
        "rate_hz": first.rate_hz,
        "first": 0,
        "count": int(waveform.values.shape[1]),
        "bytes": width,
        "unit": first.unit,
        "channels": [{"name": c.name, "gain": c.gain, "offset": c.offset} for c in waveform.channels],
        "gaps": [[gap.first, gap.count] for gap in waveform.gaps],
        "layer": layer,
        "at_ms": at_ms,
    }
    return _frame(header, waveform.values.astype(f"<i{width}").tobytes())


def samples_frame(
    channels: Sequence[Channel], values: StoredSamples, device: str, first: int, at_ms: int
) -> bytes:
    """Return samples of live mode, int16 or int32 [channels, samples], as one binary frame.

    Args:
        channels: one per row.
        values: the samples.
        device: kind of instrument; streams are told apart by their channels.
        first: index of the first sample in its stream; a jump is a gap.
        at_ms: Unix ms of the last sample.
    """
    header = {
        "device": device,
        "recording": "",
        "rate_hz": channels[0].rate_hz,
        "first": first,
        "count": int(values.shape[1]),
        "bytes": values.itemsize,
        "unit": channels[0].unit,
        "channels": [{"name": c.name, "gain": c.gain, "offset": c.offset} for c in channels],
        "gaps": [],
        "layer": "live",
        "main": True,
        "at_ms": at_ms,
    }
    return _frame(header, values.astype(f"<i{values.itemsize}").tobytes())


def _frame(header: dict[str, Any], samples: bytes) -> bytes:
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    return struct.pack("<BBH", VERSION, SAMPLES, len(text)) + text + samples
