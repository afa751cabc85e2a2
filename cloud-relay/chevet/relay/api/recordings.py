"""Waveforms, sounds and pictures of one recording, in the best layer that is here or the one asked for."""

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from chevet.relay.accounts.users import User
from chevet.relay.api.guard import Here, Specialist
from chevet.relay.api.wave import wave_frame
from chevet.relay.archive.cases import Case
from chevet.relay.archive.delivery import Stored, stored_parts
from chevet.relay.errors import RefusedError
from chevet.relay.relay import Relay
from chevet.study.bundle import Part, lossless_waveform, preview_waveform, sound_wav
from chevet.study.recording import Recording

router = APIRouter(prefix="/api/cases/{case_id}/recordings/{recording_id}")

LAYERS = {"preview": 1, "diagnostic": 2, "lossless": 3}
NAMES = {number: name for name, number in LAYERS.items()}
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
    case_id: str, recording_id: str, relay: Here, user: Specialist, layer: SampleLayer = None
) -> Response:
    """Return the samples as one wave frame."""
    case, recording = _find(relay, case_id, recording_id)
    part = _part(relay, user, case, recording_id, layer, lambda item: item.kind == "waveform")
    exact = part.layer == LAYERS["lossless"]
    found = lossless_waveform(part)[0] if exact else preview_waveform(part)
    frame = wave_frame(found, recording_id, NAMES[part.layer], recording.started_ms)
    return Response(frame, media_type="application/octet-stream")


@router.get("/sound", response_class=Response)
def sound(case_id: str, recording_id: str, relay: Here, user: Specialist, layer: Layer = None) -> Response:
    """Return the sound: Opus where it was coded to be listened to, WAV where it is exact."""
    case, _ = _find(relay, case_id, recording_id)
    part = _part(relay, user, case, recording_id, layer, _is_heard)
    if part.kind == "waveform":
        return Response(sound_wav(part), media_type="audio/wav")
    return Response(part.data, media_type=_showable(part))


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
    case, _ = _find(relay, case_id, recording_id)
    part = _part(
        relay, user, case, recording_id, layer, lambda item: (item.kind, item.number) == ("picture", number)
    )
    return Response(part.data, media_type=_showable(part))


@router.get("/clip", response_class=Response)
def clip(case_id: str, recording_id: str, relay: Here, user: Specialist) -> Response:
    """Return the film about the best still: coded to be looked at, there is no exact one."""
    case, recording = _find(relay, case_id, recording_id)
    if recording.clip is None:
        raise RefusedError(404, "not_found", "This recording has no clip: its stills are all there is.")
    part = _part(relay, user, case, recording_id, "diagnostic", lambda item: item.kind == "clip")
    return Response(part.data, media_type=_showable(part))


@router.get("/source", response_class=Response)
def source(case_id: str, recording_id: str, relay: Here, user: Specialist) -> Response:
    """Return the cart's file that the recording was read from, byte for byte, to be saved and not shown.

    Its name is ours: what the cart called it often names a person. What comes from a simulated cart says so.
    """
    case, recording = _find(relay, case_id, recording_id)
    if recording.source is None:
        raise RefusedError(404, "not_found", "An instrument gave this recording: there is no file of a cart.")
    part = _part(relay, user, case, recording_id, "lossless", lambda item: item.kind == "source")
    ending = FILES.get(part.media_type)
    name = f"{'HTEST-' if recording.simulated else ''}ecg-original.{ending or 'bin'}"
    return Response(
        part.data,
        media_type=part.media_type if ending else "application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _find(relay: Relay, case_id: str, recording_id: str) -> tuple[Case, Recording]:
    with relay.database.read() as connection:
        case = relay.cases.get(connection, case_id)
    for recording in case.study.recordings:
        if recording.id == recording_id:
            return case, recording
    raise RefusedError(404, "not_found", "This case has no such recording: open the case again.")


def _part(
    relay: Relay, user: User, case: Case, recording_id: str, layer: str | None, fits: Callable[[Stored], bool]
) -> Part:
    """Open the best stored part that fits, and note in the audit that it was read."""
    with relay.database.read() as connection:
        stored = [item for item in stored_parts(connection, case.tid) if item.recording == recording_id]
    fitting = [item for item in stored if fits(item) and (layer is None or item.layer == LAYERS[layer])]
    if not fitting:
        raise RefusedError(404, "not_yet_here", "This layer has not arrived yet: it is shown when it has.")
    best = max(fitting, key=lambda item: item.layer)
    read = "source" if best.kind == "source" else NAMES[best.layer]
    relay.cases.note(user, "recording.read", case.id, f"{recording_id} {read}")
    return relay.vault.part(case.manifest, best.oid, best.name)


def _is_heard(item: Stored) -> bool:
    return item.kind == "sound" or (item.kind, item.layer) == ("waveform", LAYERS["lossless"])


def _showable(part: Part) -> str:
    return part.media_type if part.media_type in SHOWABLE else "application/octet-stream"
