"""Wave frames: the one binary message of the kiosk's WebSocket and its downloads (docs/api.md)."""

import io
import json
import struct
import wave
from collections.abc import Sequence
from typing import Any

from chevet.devices.samples import Channel, Picture
from chevet.study.recording import StoredSamples, Waveform

VERSION = 1
SAMPLES, PICTURE = 1, 2
_HEAD = struct.Struct("<BBH")


def frame(kind: int, header: dict[str, Any], payload: bytes) -> bytes:
    """Return one message: head, header padded to a multiple of 4 bytes, payload."""
    words = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    words += b" " * (-len(words) % 4)
    return _HEAD.pack(VERSION, kind, len(words)) + words + payload


def samples_frame(
    channels: Sequence[Channel],
    values: StoredSamples,
    first: int,
    *,
    at_ms: int,
    device: str = "",
    recording: str = "",
    gaps: Sequence[tuple[int, int]] = (),
    layer: str = "live",
) -> bytes:
    """Return samples int16 [channels, samples] as a message, channel after channel."""
    header = {
        "device": device,
        "recording": recording,
        "rate_hz": channels[0].rate_hz,
        "first": first,
        "count": values.shape[1],
        "unit": channels[0].unit,
        "channels": [{"name": c.name, "gain": c.gain, "offset": c.offset} for c in channels],
        "gaps": [list(gap) for gap in gaps],
        "layer": layer,
        "at_ms": at_ms,
    }
    return frame(SAMPLES, header, values.astype("<i2").tobytes())


def picture_frame(device: str, picture: Picture, at_ms: int) -> bytes:
    """Return one live image as a message."""
    header = {"device": device, "media_type": picture.media_type, "at_ms": at_ms}
    return frame(PICTURE, header, picture.data)


def sound_file(waveform: Waveform) -> bytes:
    """Return the first channel as a 16-bit mono WAV file; samples that never arrived are silence."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(round(waveform.channels[0].rate_hz))
        file.writeframes(waveform.values[0].astype("<i2").tobytes())
    return out.getvalue()
