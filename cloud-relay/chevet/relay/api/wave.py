"""Wave frames, as docs/api.md lays them out: version, kind, header length, JSON header, samples."""

import json
import struct

from chevet.study.recording import Waveform

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
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    samples = waveform.values.astype(f"<i{width}").tobytes()
    return struct.pack("<BBH", VERSION, SAMPLES, len(text)) + text + samples
