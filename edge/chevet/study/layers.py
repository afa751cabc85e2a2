"""What one recording becomes in each layer."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

import soundfile as sf

from chevet.devices.samples import Reading
from chevet.study.cbor import Row, Value, decode, encode
from chevet.study.codec import MAX_BYTES, declared, decode_waveform, encode_waveform
from chevet.study.errors import BundleError
from chevet.study.picture import AVIF, diagnostic_picture, preview_picture
from chevet.study.preview import PREVIEW, write_preview
from chevet.study.recording import Recording, Waveform
from chevet.study.rows import read_reading, read_waveform_row, reading_row, waveform_row
from chevet.study.sound import OGG, diagnostic_sound, is_sound, preview_sound
from chevet.study.summary import last_readings

WAVEFORM = "application/vnd.chevet.waveform"
READINGS = "application/vnd.chevet.readings"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of one layer before they get their number in a bundle."""

    layer: int
    kind: str
    media_type: str
    data: bytes
    index: int = 0


def lossy_pieces(recording: Recording) -> Iterator[Piece]:
    """Yield preview and diagnostic pieces of a recording.

    One preview each for its first waveform and its best picture, so that a recording's preview is one chunk
    or two; an image that cannot be read travels in the lossless layer alone.
    """
    for waveform in recording.waveforms[:1]:
        yield from _lossy_waveform(waveform)
    if recording.pictures:
        best = max(range(len(recording.pictures)), key=lambda index: recording.pictures[index].best)
        preview = preview_picture(recording.pictures[best].data)
        if preview is not None:
            yield Piece(1, "picture", AVIF, preview, best)
    for index, picture in enumerate(recording.pictures):
        good = diagnostic_picture(picture.data)
        if good is not None:
            yield Piece(2, "picture", AVIF, good, index)


def clip_pieces(recording: Recording) -> Iterator[Piece]:
    """Yield the film of a recording, which belongs to it and is not made here."""
    if recording.clip is not None:
        yield Piece(2, "clip", recording.clip.media_type, recording.clip.data)


def _lossy_waveform(waveform: Waveform) -> Iterator[Piece]:
    """Yield what can be made of one waveform; a copy that fails must not hold back the recording itself."""
    if not waveform.values.size:
        return
    try:
        if is_sound(waveform):
            yield Piece(1, "sound", OGG, preview_sound(waveform))
            yield Piece(2, "sound", OGG, diagnostic_sound(waveform))
        else:
            yield Piece(1, "waveform", PREVIEW, write_preview(waveform))
    except (ValueError, OverflowError, sf.SoundFileError) as error:
        logger.warning(
            "no preview of a waveform at %s Hz: %s", waveform.channels[0].rate_hz, type(error).__name__
        )


def lossless_pieces(recording: Recording) -> Iterator[Piece]:
    """Yield what restores the recording exactly."""
    if recording.waveforms:
        yield Piece(3, "waveform", WAVEFORM, _waveforms(recording.waveforms))
    for index, picture in enumerate(recording.pictures):
        yield Piece(3, "picture", picture.media_type, picture.data, index)
    if recording.source is not None:
        yield Piece(3, "source", recording.source.media_type, recording.source.data)
    if len(last_readings(recording.readings)) != len(recording.readings):
        yield Piece(3, "readings", READINGS, encode([reading_row(item) for item in recording.readings]))


def open_waveforms(data: bytes) -> tuple[Waveform, ...]:
    """Return the waveforms of a lossless piece.

    Raises:
        BundleError: the bytes are damaged, contradict themselves, or hold more than one recording may.
    """
    rows = [_read_row(row) for row in Row([decode(data)]).rows()]
    if sum(declared(blob).size for _, _, blob in rows) > MAX_BYTES:
        raise BundleError("too_large")
    return tuple(_filled(blank, count, blob) for blank, count, blob in rows)


def open_readings(data: bytes) -> tuple[Reading, ...]:
    """Return the readings of a recording.

    Raises:
        BundleError: the bytes are damaged.
    """
    value = decode(data)
    return tuple(read_reading(row) for row in Row([value]).rows())


def _waveforms(waveforms: tuple[Waveform, ...]) -> bytes:
    rows: list[Value] = []
    for waveform in waveforms:
        rate_hz = waveform.channels[0].rate_hz if waveform.channels else 1.0
        rows.append([waveform_row(waveform), encode_waveform(waveform.values, rate_hz)])
    return encode(rows)


def _read_row(row: Row) -> tuple[Waveform, int, bytes]:
    blank, count = read_waveform_row(row.row())
    blob = row.data()
    row.end()
    return blank, count, blob


def _filled(blank: Waveform, count: int, blob: bytes) -> Waveform:
    head = declared(blob)
    if (head.channels, head.count, head.width) != (len(blank.channels), count, blank.values.itemsize):
        raise BundleError("contradiction")
    return replace(blank, values=decode_waveform(blob))
