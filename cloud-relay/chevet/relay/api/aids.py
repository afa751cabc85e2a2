"""What helps to read one recording: draft marks, the ECG on paper, listening and looking aids."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from chevet.relay.api.guard import Here, Specialist
from chevet.relay.api.parts import LAYERS, Found, find, opened
from chevet.relay.errors import RefusedError
from chevet.relay.printing.ecg import Print, Subject, print_ecg
from chevet.relay.reading.ecg import ecg_marks
from chevet.relay.reading.picture import clip_frames, enhanced_jpeg
from chevet.relay.reading.sound import lungs_alone, sound_marks
from chevet.study.bundle import lossless_waveform
from chevet.study.recording import Waveform

router = APIRouter(prefix="/api/cases/{case_id}/recordings/{recording_id}")
Json = dict[str, Any]
Number = Annotated[int, Path(ge=0, le=999)]


@router.get("/marks")
def marks(case_id: str, recording_id: str, relay: Here, user: Specialist) -> Json:
    """Compute draft marks on the exact samples: waves of an ECG, S1 and S2 of a heart sound."""
    found = find(relay, user, case_id, recording_id)
    waves = _exact(found)
    if found.recording.step == "ecg":
        return ecg_marks(waves[0])
    if found.recording.step in {"heart_sound", "lung_sound"}:
        return sound_marks(waves)
    raise RefusedError(404, "not_found", "Only an ECG and a sound have marks.")


@router.get("/print", response_class=Response)
def print_(
    case_id: str,
    recording_id: str,
    relay: Here,
    user: Specialist,
    layout: Annotated[Literal["3x4", "6x2", "12x1"], Query()] = "3x4",
    order: Annotated[Literal["standard", "cabrera"], Query()] = "standard",
    speed: Annotated[Literal["25", "50"], Query()] = "25",
    gain: Annotated[Literal["5", "10", "20"], Query()] = "10",
    filter: Annotated[Literal["diagnostic", "monitor", "raw"], Query()] = "diagnostic",  # noqa: A002 - the API's word
    language: Annotated[Literal["fr", "ar", "en"], Query()] = "fr",
) -> Response:
    """Return the ECG on A4 to scale, as a PDF under a name that names nobody."""
    found = find(relay, user, case_id, recording_id)
    if found.recording.step != "ecg":
        raise RefusedError(404, "not_found", "Only an ECG is printed on millimetre paper.")
    wave = _exact(found)[0]
    how = Print(layout, order, int(speed), int(gain), filter, language, relay.now_ms())
    swaps = ["/".join(one["electrodes"]) for one in ecg_marks(wave)["swaps"]]
    study = found.case.study
    subject = Subject(study.patient, found.case.site_name, found.recording, swaps)
    name = f"{'HTEST-' if found.recording.simulated else ''}ecg.pdf"
    return Response(
        print_ecg(wave, subject, how),
        media_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}"'},
    )


@router.get("/sound/without-heart", response_class=Response)
def without_heart(case_id: str, recording_id: str, relay: Here, user: Specialist) -> Response:
    """Return the sound with the heart taken out, for listening only, as WAV."""
    found = find(relay, user, case_id, recording_id)
    if found.recording.step not in {"heart_sound", "lung_sound"}:
        raise RefusedError(404, "not_found", "Only a sound is listened to.")
    try:
        return Response(lungs_alone(_exact(found)), media_type="audio/wav")
    except ValueError:
        raise RefusedError(404, "not_found", "This sound is too short to take the heart out.") from None


@router.get("/pictures/{number}/enhanced", response_class=Response)
def enhanced(case_id: str, recording_id: str, number: Number, relay: Here, user: Specialist) -> Response:
    """Return a still with reflections dimmed and contrast raised, for display only, as JPEG."""
    found = find(relay, user, case_id, recording_id)
    part = opened(
        found,
        None,
        lambda item: (item.kind, item.number) == ("picture", number) and item.layer > LAYERS["preview"],
    )
    try:
        return Response(enhanced_jpeg(part.data), media_type="image/jpeg")
    except ValueError:
        raise RefusedError(
            404, "not_found", "This picture cannot be worked on: look at it as it came."
        ) from None


@router.get("/clip/frames")
def frames(case_id: str, recording_id: str, relay: Here, user: Specialist) -> Json:
    """List the single pictures of a clip by their seconds from its beginning."""
    film = _film(find(relay, user, case_id, recording_id))
    return {"seconds": [at_s for at_s, _ in film]}


@router.get("/clip/frames/{number}", response_class=Response)
def frame(case_id: str, recording_id: str, number: Number, relay: Here, user: Specialist) -> Response:
    """Return one picture of a clip as JPEG."""
    film = _film(find(relay, user, case_id, recording_id))
    if number >= len(film):
        raise RefusedError(404, "not_found", "The clip has fewer pictures.")
    return Response(film[number][1], media_type="image/jpeg")


def _film(found: Found) -> tuple[tuple[float, bytes], ...]:
    if found.recording.clip is None:
        raise RefusedError(404, "not_found", "This recording has no clip: its stills are all there is.")
    part = opened(found, "diagnostic", lambda item: item.kind == "clip")
    try:
        return clip_frames(part.data)
    except ValueError:
        raise RefusedError(404, "not_found", "This clip cannot be taken apart: play it as it is.") from None


def _exact(found: Found) -> tuple[Waveform, ...]:
    part = opened(found, "lossless", lambda item: item.kind == "waveform")
    return lossless_waveform(part)
