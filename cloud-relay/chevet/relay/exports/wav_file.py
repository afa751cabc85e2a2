"""A sound as WAV of its exact samples, with its gaps as labelled regions and its scale in a comment.

RIFF/WAVE (IBM and Microsoft, 1991): `fmt `, `data`, then `cue ` and `LIST adtl` with one `ltxt` region a gap,
and `LIST INFO` with what the file is.
"""

import json
import struct
from collections.abc import Iterator

from chevet.relay.exports.files import ExportFile, stem
from chevet.relay.exports.samples import extremes, frames
from chevet.relay.exports.subject import LeftOut, Subject
from chevet.study.recording import Waveform
from chevet.study.sound import is_sound, told_bits

WAV = "audio/wav"
PCM = 1


def wav_files(subject: Subject) -> Iterator[ExportFile | LeftOut]:
    """Yield every sound of a case."""
    for recording in subject.recordings():
        if isinstance(recording, LeftOut):
            yield recording
            continue
        sounds = [item for item in recording.waveforms if is_sound(item)]
        for number, waveform in enumerate(sounds, 1):
            name = f"{stem(subject, recording)}-{number}.wav"
            said = {"site": recording.site} if recording.site else {}
            yield wav_file(name, waveform, subject.statement, said)
        if not sounds:
            yield LeftOut(recording.id, "no_sound")


def wav_file(name: str, waveform: Waveform, statement: str, said: dict[str, str]) -> ExportFile:
    """Return one waveform as a WAV file of 16, 24 or 32 bits: the device's full scale, and every sample.

    Args:
        name: of the file.
        waveform: its channels share a rate; the exact rate is in the comment, WAV takes whole hertz.
        statement: what the file says of itself.
        said: more words for the comment.
    """
    width = _width(waveform)
    return ExportFile(name, WAV, lambda: _pieces(waveform, width, statement, said))


def _width(waveform: Waveform) -> int:
    low, high = extremes(waveform)
    needed = next(bits for bits in (16, 24, 32) if -(1 << (bits - 1)) <= low and high < 1 << (bits - 1))
    return max(needed, told_bits(waveform.channels[0].gain)) // 8


def _pieces(waveform: Waveform, width: int, statement: str, said: dict[str, str]) -> Iterator[bytes]:
    channels, samples = waveform.values.shape
    rate = max(round(waveform.channels[0].rate_hz), 1)
    size = channels * samples * width
    after = _gaps(waveform) + _comment(waveform, statement, said)
    head = struct.pack("<HHIIHH", PCM, channels, rate, rate * channels * width, channels * width, width * 8)
    begin = b"WAVE" + _chunk(b"fmt ", head) + b"data" + struct.pack("<I", size)
    yield b"RIFF" + struct.pack("<I", len(begin) + size + size % 2 + len(after)) + begin
    yield from frames(waveform.values.astype("i4"), width)
    yield b"\0" * (size % 2) + after


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _gaps(waveform: Waveform) -> bytes:
    if not waveform.gaps:
        return b""
    points = b"".join(
        struct.pack("<II4sIII", number, gap.first, b"data", 0, 0, gap.first)
        for number, gap in enumerate(waveform.gaps, 1)
    )
    regions = b"".join(
        _chunk(b"ltxt", struct.pack("<II4sHHHH", number, gap.count, b"gap ", 0, 0, 0, 0))
        for number, gap in enumerate(waveform.gaps, 1)
    )
    cues = struct.pack("<I", len(waveform.gaps)) + points
    return _chunk(b"cue ", cues) + _chunk(b"LIST", b"adtl" + regions)


def _comment(waveform: Waveform, statement: str, said: dict[str, str]) -> bytes:
    first = waveform.channels[0]
    words = {
        "rate_hz": first.rate_hz,
        "unit": first.unit,
        "gain": first.gain,
        "offset": first.offset,
        "gaps": [[gap.first, gap.count] for gap in waveform.gaps],
        **said,
        "statement": statement,
    }
    text = json.dumps(words).encode("ascii") + b"\0"
    return _chunk(b"LIST", b"INFO" + _chunk(b"ICMT", text) + _chunk(b"ISFT", b"Chevet\0"))
