"""Wave frames: the one binary message of the kiosk's WebSocket and its downloads (docs/api.md)."""

import json
import struct
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chevet.devices.samples import Channel, Picture
from chevet.study.recording import StoredSamples, Waveform
from chevet.study.sound import wav

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
    main: bool = True,
) -> bytes:
    """Return samples, int16 or int32 [channels, samples], as a message, channel after channel.

    `main` is False for a stream that is not the one the device is there for (docs/api.md).
    """
    width = values.itemsize
    header = {
        "device": device,
        "recording": recording,
        "rate_hz": channels[0].rate_hz,
        "first": first,
        "count": values.shape[1],
        "bytes": width,
        "unit": channels[0].unit,
        "channels": [{"name": c.name, "gain": c.gain, "offset": c.offset} for c in channels],
        "gaps": [list(gap) for gap in gaps],
        "layer": layer,
        "main": main,
        "at_ms": at_ms,
    }
    return frame(SAMPLES, header, values.astype(f"<i{width}").tobytes())


def picture_frame(device: str, picture: Picture, at_ms: int) -> bytes:
    """Return one live image as a message."""
    header = {"device": device, "media_type": picture.media_type, "at_ms": at_ms}
    return frame(PICTURE, header, picture.data)


def sound_file(waveform: Waveform) -> bytes:
    """Return the first channel as a mono WAV file, exact; samples that never arrived are silence."""
    return wav(replace(waveform, channels=waveform.channels[:1], values=waveform.values[:1]))
