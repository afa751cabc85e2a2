"""What a lesson shows: waveforms, sounds, stills and clips of its masked case."""

from collections.abc import Callable, Iterator
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from chevet.relay.accounts.users import User
from chevet.relay.api.guard import Discusser, Here
from chevet.relay.api.parts import LAYERS, NAMES
from chevet.relay.api.recordings import Layer, SampleLayer, is_heard, showable
from chevet.relay.api.wave import wave_frame
from chevet.relay.archive.delivery import Stored
from chevet.relay.errors import RefusedError
from chevet.relay.exports.plain_picture import shown_picture
from chevet.relay.relay import Relay
from chevet.study.bundle import Part, lossless_waveform, preview_waveform, sound_wav

router = APIRouter(prefix="/api/teaching/{teaching_id}/recordings/{recording_id}")


@router.get("/waveform", response_class=Response)
def waveform(
    teaching_id: str, recording_id: str, relay: Here, user: Discusser, layer: SampleLayer = None
) -> Response:
    """Return the samples as one wave frame, their times counted from the visit's beginning."""
    part, started_ms = _opened(
        relay, user, (teaching_id, recording_id), layer, lambda item: item.kind == "waveform"
    )
    wave = lossless_waveform(part)[0] if part.layer == LAYERS["lossless"] else preview_waveform(part)
    frame = wave_frame(wave, recording_id, NAMES[part.layer], started_ms)
    return Response(frame, media_type="application/octet-stream")


@router.get("/sound", response_class=Response)
def sound(teaching_id: str, recording_id: str, relay: Here, user: Discusser, layer: Layer = None) -> Response:
    """Return the sound."""
    part, _ = _opened(relay, user, (teaching_id, recording_id), layer, is_heard)
    if part.kind == "waveform":
        return Response(sound_wav(part), media_type="audio/wav")
    return Response(part.data, media_type=showable(part))


@router.get("/pictures/{number}", response_class=Response)
def picture(
    teaching_id: str,
    recording_id: str,
    number: Annotated[int, Path(ge=0, le=999)],
    relay: Here,
    user: Discusser,
    layer: Layer = None,
) -> Response:
    """Return a still, without what the camera wrote beside its pixels."""
    where = (teaching_id, recording_id)
    found, _ = _all(relay, user, where, layer, lambda item: (item.kind, item.number) == ("picture", number))
    for part in found:
        data = shown_picture(part.data, part.media_type, own=part.layer == LAYERS["lossless"])
        if data is not None:
            return Response(data, media_type=showable(part))
    raise RefusedError(404, "not_found", "This picture cannot be shown without what its camera says of it.")


@router.get("/clip", response_class=Response)
def clip(teaching_id: str, recording_id: str, relay: Here, user: Discusser) -> Response:
    """Return the film about the best still."""
    part, _ = _opened(relay, user, (teaching_id, recording_id), None, lambda item: item.kind == "clip")
    return Response(part.data, media_type=showable(part))


def _opened(
    relay: Relay, user: User, where: tuple[str, str], layer: str | None, fits: Callable[[Stored], bool]
) -> tuple[Part, int]:
    """Return the best part that fits, and when its recording began."""
    found, started_ms = _all(relay, user, where, layer, fits)
    return next(found), started_ms


def _all(
    relay: Relay, user: User, where: tuple[str, str], layer: str | None, fits: Callable[[Stored], bool]
) -> tuple[Iterator[Part], int]:
    """Return the parts that fit, the best first, and when their recording began."""
    _, shown = relay.lessons.open(where[0], user, "part")
    wanted = LAYERS[layer] if layer else None
    fitting = [
        one for one in shown.stored if one.recording == where[1] and fits(one) and wanted in (None, one.layer)
    ]
    if not fitting:
        raise RefusedError(404, "not_found", "This lesson shows no such thing: open it again.")
    recording = next(one for one in shown.case.study.recordings if one.id == where[1])
    best = sorted(fitting, key=lambda one: one.layer, reverse=True)
    return (relay.vault.part(shown.case.manifest, one.oid, one.name) for one in best), recording.started_ms
