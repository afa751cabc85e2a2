"""Waveforms, sounds and pictures of one recording, in the best layer that is here or the one asked for."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from chevet.relay.api.guard import Here, Specialist
from chevet.relay.api.parts import LAYERS, NAMES, find, opened
from chevet.relay.api.wave import wave_frame
from chevet.relay.archive.delivery import Stored
from chevet.relay.errors import RefusedError
from chevet.study.bundle import Part, lossless_waveform, preview_waveform, sound_wav

router = APIRouter(prefix="/api/cases/{case_id}/recordings/{recording_id}")

SHOWABLE = frozenset({"image/jpeg", "image/png", "image/avif", "image/webp", "audio/ogg"})
"""What a browser may be told to show; anything else a site declares is plain bytes."""

FILES = {
    "application/dicom": "dcm",
    "application/vnd.scp-ecg": "scp",
    "application/vnd.contec.ecg90a": "ecg",
}
"""Kinds of a cart's file, and how the names of such files end; others are plain bytes."""

Layer = Annotated[Literal["preview", "diagnostic", "lossless"] | None, Query()]
SampleLayer = Annotated[Literal["preview", "lossless"] | None, Query()]


@router.get("/waveform", response_class=Response)
def waveform(
    case_id: str,
    recording_id: str,
    relay: Here,
    user: Specialist,
    layer: SampleLayer = None,
    number: Annotated[int, Query(ge=0, le=99)] = 0,
) -> Response:
    """Return the samples as one wave frame; `number` asks for what was recorded beside the main signal."""
    found = find(relay, user, case_id, recording_id)
    part = opened(found, "lossless" if number else layer, lambda item: item.kind == "waveform")
    if part.layer == LAYERS["lossless"]:
        waves = lossless_waveform(part)
        if number >= len(waves):
            raise RefusedError(404, "not_found", "This recording has fewer waveforms.")
        wave = waves[number]
    else:
        wave = preview_waveform(part)
    frame = wave_frame(wave, recording_id, NAMES[part.layer], found.recording.started_ms)
    return Response(frame, media_type="application/octet-stream")


@router.get("/sound", response_class=Response)
def sound(case_id: str, recording_id: str, relay: Here, user: Specialist, layer: Layer = None) -> Response:
    """Return the sound: Opus where it was coded to be listened to, WAV where it is exact."""
    part = opened(find(relay, user, case_id, recording_id), layer, is_heard)
    if part.kind == "waveform":
        return Response(sound_wav(part), media_type="audio/wav")
    return Response(part.data, media_type=showable(part))


@router.get("/pictures/{number}", response_class=Response)
def picture(
    case_id: str,
    recording_id: str,
    number: Annotated[int, Path(ge=0, le=999)],
    relay: Here,
    user: Specialist,
    layer: Layer = None,
) -> Response:
    """Return still `number` of the recording."""
    found = find(relay, user, case_id, recording_id)
    part = opened(found, layer, lambda item: (item.kind, item.number) == ("picture", number))
    return Response(part.data, media_type=showable(part))


@router.get("/clip", response_class=Response)
def clip(case_id: str, recording_id: str, relay: Here, user: Specialist) -> Response:
    """Return the film about the best still: coded to be looked at, there is no exact one."""
    found = find(relay, user, case_id, recording_id)
    if found.recording.clip is None:
        raise RefusedError(404, "not_found", "This recording has no clip: its stills are all there is.")
    part = opened(found, "diagnostic", lambda item: item.kind == "clip")
    return Response(part.data, media_type=showable(part))


@router.get("/source", response_class=Response)
def source(case_id: str, recording_id: str, relay: Here, user: Specialist) -> Response:
    """Return the cart's file that the recording was read from, byte for byte, to be saved and not shown.

    Its name is ours: what the cart called it often names a person. What comes from a simulated cart says so.
    """
    found = find(relay, user, case_id, recording_id)
    if found.recording.source is None:
        raise RefusedError(404, "not_found", "An instrument gave this recording: there is no file of a cart.")
    part = opened(found, "lossless", lambda item: item.kind == "source")
    ending = FILES.get(part.media_type)
    name = f"{'HTEST-' if found.recording.simulated else ''}ecg-original.{ending or 'bin'}"
    return Response(
        part.data,
        media_type=part.media_type if ending else "application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def is_heard(item: Stored) -> bool:
    """Say whether a part can be listened to."""
    return item.kind == "sound" or (item.kind, item.layer) == ("waveform", LAYERS["lossless"])


def showable(part: Part) -> str:
    """Return the media type that a browser may be told for a part."""
    return part.media_type if part.media_type in SHOWABLE else "application/octet-stream"
