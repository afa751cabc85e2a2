"""Study to bundle and back: parts in layers, so that a reader is served long before the last byte.

Layers: 0 summary, 1 preview (not for measurement), 2 diagnostic (to listen and look), 3 lossless.
Any part opens alone; `unpack` needs layers 0 and 3, and clips, of which there is but one copy.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from chevet.devices.samples import Reading
from chevet.study.cbor import Row, Value, decode_head, encode
from chevet.study.errors import BundleError
from chevet.study.ids import to_wire
from chevet.study.layers import (
    Piece,
    clip_pieces,
    lossless_pieces,
    lossy_pieces,
    open_readings,
    open_waveforms,
)
from chevet.study.preview import read_preview
from chevet.study.recording import Recording, StoredClip, StoredFile, StoredPicture, Waveform
from chevet.study.shape import Shape
from chevet.study.sound import wav
from chevet.study.study import Study
from chevet.study.summary import read_shapes, write_summary

KINDS = ("study", "opinion", "message", "voice")
PART_KINDS = (
    *("summary", "waveform", "sound", "picture", "clip", "readings", "source"),
    *("opinion", "message", "voice"),
)
MAX_PARTS = 4096


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a bundle, readable alone.

    Attributes:
        oid: its number within the bundle, from 0.
        layer: 0 summary, 1 preview, 2 diagnostic, 3 lossless.
        kind: one of PART_KINDS.
        media_type: what `data` is; types of ours begin with "application/vnd.chevet.".
        recording: id of the recording it belongs to, "" for the summary.
        data: the bytes.
        index: which picture of the recording, else 0.
    """

    oid: int
    layer: int
    kind: str
    media_type: str
    recording: str
    data: bytes
    index: int = 0


@dataclass(frozen=True, slots=True)
class Bundle:
    """A study, opinion, message or voice note packed. `case` is the case it belongs to (a study's own id)."""

    id: str
    kind: str
    case: str
    parts: tuple[Part, ...]


Copies = Callable[[Recording], Iterable[Piece]]


def pack(study: Study, copies: Copies = lossy_pieces) -> Bundle:
    """Return the study as parts in layers; the same study gives the same bytes.

    Args:
        study: what to pack.
        copies: gives the preview and diagnostic pieces of a recording: made here, or made before.

    Raises:
        ValueError: a waveform is larger than the codec takes, or its rows do not match its channels.
    """
    if any(len(w.channels) != w.values.shape[0] for item in study.recordings for w in item.waveforms):
        raise ValueError("a waveform needs one channel for each row of values")
    pieces = [("", Piece(0, "summary", "application/vnd.chevet.summary", write_summary(study)))]
    pieces += [(item.id, piece) for item in study.recordings for piece in copies(item)]
    pieces += [(item.id, piece) for item in study.recordings for piece in clip_pieces(item)]
    pieces += [(item.id, piece) for item in study.recordings for piece in lossless_pieces(item)]
    # Stable: recordings stay in order within a layer, and clips wait for what is smaller and sharper.
    pieces.sort(key=lambda pair: pair[1].layer)
    parts = tuple(_part(oid, recording, piece) for oid, (recording, piece) in enumerate(pieces))
    return Bundle(study.id, "study", study.id, parts)


def unpack(bundle: Bundle) -> Study:
    """Return the study, exact on every integer sample and every camera byte.

    Raises:
        BundleError: a part is missing, damaged, or contradicts the summary.
    """
    if bundle.kind != "study" or not bundle.parts or bundle.parts[0].kind != "summary":
        raise BundleError("no_summary")
    study, shapes = read_shapes(bundle.parts[0].data)
    if study.id != bundle.id or bundle.case != bundle.id:
        raise BundleError("another_study")
    lossless = _lossless_parts(bundle.parts)
    recordings = tuple(_filled(item, shapes[item.id], lossless) for item in study.recordings)
    if lossless:
        raise BundleError("unknown_part")
    return replace(study, recordings=recordings)


def content_hash(bundle: Bundle) -> str:
    """Return SHA-256 (hex) over ids and parts, whatever they were sealed with: equal at both ends."""
    rows: list[Value] = [to_wire(bundle.id), bundle.kind, to_wire(bundle.case)]
    for part in bundle.parts:
        digest = hashlib.sha256(part.data).digest()
        rows.append(
            [part.oid, part.layer, part.kind, part.media_type, to_wire(part.recording), part.index, digest]
        )
    return hashlib.sha256(encode(rows)).hexdigest()


def write_part(part: Part) -> bytes:
    """Return what is sealed of a part: a short head, then its bytes; number and layer are in the manifest."""
    return encode([part.kind, part.media_type, to_wire(part.recording), part.index]) + part.data


def read_part(oid: int, layer: int, plain: bytes) -> Part:
    """Return the part whose sealed form held `plain`.

    Raises:
        BundleError: the head is damaged.
    """
    head, data = decode_head(plain)
    row = Row(head)
    kind, media_type, recording, index = row.text(), row.text(), row.ident(), row.whole(high=MAX_PARTS)
    row.end()
    if kind not in PART_KINDS:
        raise BundleError("unknown_part")
    return Part(oid, layer, kind, media_type, recording, data, index)


def lossless_waveform(part: Part) -> tuple[Waveform, ...]:
    """Return the exact waveforms of a lossless part.

    Raises:
        BundleError: the part is damaged or of another kind.
    """
    if (part.layer, part.kind) != (3, "waveform"):
        raise BundleError("another_kind")
    return open_waveforms(part.data)


def preview_waveform(part: Part) -> Waveform:
    """Return the waveform of a preview: coarse, and labelled nowhere as anything else.

    Raises:
        BundleError: the part is damaged or of another kind.
    """
    if (part.layer, part.kind) != (1, "waveform"):
        raise BundleError("another_kind")
    return read_preview(part.data)


def sound_wav(part: Part) -> bytes:
    """Return the exact samples of a lossless part's first waveform as a WAV file.

    Raises:
        BundleError: the part is damaged, of another kind, or holds no channel.
    """
    waveforms = lossless_waveform(part)
    if not waveforms or not waveforms[0].channels:
        raise BundleError("another_kind")
    return wav(waveforms[0])


def _part(oid: int, recording: str, piece: Piece) -> Part:
    return Part(oid, piece.layer, piece.kind, piece.media_type, recording, piece.data, piece.index)


_Lossless = dict[tuple[str, str, int], Part]


def _lossless_parts(parts: Sequence[Part]) -> _Lossless:
    found: _Lossless = {}
    for part in parts:
        key = (part.recording, part.kind, part.index)
        if part.layer == 3 or part.kind == "clip":
            if key in found:
                raise BundleError("duplicate_part")
            found[key] = part
    return found


def _filled(recording: Recording, shape: Shape, lossless: _Lossless) -> Recording:
    """Return the recording with its samples, images and readings; taken parts leave `lossless`."""
    waveforms = recording.waveforms
    if waveforms:
        waveforms = lossless_waveform(_take(lossless, recording.id, "waveform"))
        _agree(recording.waveforms, waveforms, shape)
    return replace(
        recording,
        waveforms=waveforms,
        pictures=tuple(_pictures(recording, shape, lossless)),
        readings=_readings(recording, shape, lossless),
        source=_source(recording, shape, lossless),
        clip=_clip(recording, shape, lossless),
    )


def _take(lossless: _Lossless, recording: str, kind: str, index: int = 0) -> Part:
    try:
        return lossless.pop((recording, kind, index))
    except KeyError:
        raise BundleError("missing_part") from None


def _agree(declared: Sequence[Waveform], found: Sequence[Waveform], shape: Shape) -> None:
    same = len(declared) == len(found) and all(
        (want.channels, want.gaps, want.values.dtype, count)
        == (got.channels, got.gaps, got.values.dtype, got.values.shape[1])
        for want, got, count in zip(declared, found, shape.samples, strict=True)
    )
    if not same:
        raise BundleError("contradiction")


def _pictures(recording: Recording, shape: Shape, lossless: _Lossless) -> Iterator[StoredPicture]:
    for index, (picture, size) in enumerate(zip(recording.pictures, shape.picture_bytes, strict=True)):
        part = _take(lossless, recording.id, "picture", index)
        if len(part.data) != size or part.media_type != picture.media_type:
            raise BundleError("contradiction")
        yield replace(picture, data=part.data)


def _readings(recording: Recording, shape: Shape, lossless: _Lossless) -> tuple[Reading, ...]:
    if shape.readings == len(recording.readings):
        return recording.readings
    readings = open_readings(_take(lossless, recording.id, "readings").data)
    if len(readings) != shape.readings:
        raise BundleError("contradiction")
    return readings


def _source(recording: Recording, shape: Shape, lossless: _Lossless) -> StoredFile | None:
    if recording.source is None:
        return None
    part = _take(lossless, recording.id, "source")
    if len(part.data) != shape.source_bytes or part.media_type != recording.source.media_type:
        raise BundleError("contradiction")
    return replace(recording.source, data=part.data)


def _clip(recording: Recording, shape: Shape, lossless: _Lossless) -> StoredClip | None:
    if recording.clip is None:
        return None
    part = _take(lossless, recording.id, "clip")
    if len(part.data) != shape.clip_bytes or part.media_type != recording.clip.media_type:
        raise BundleError("contradiction")
    return replace(recording.clip, data=part.data)
