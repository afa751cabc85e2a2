"""The teaching library: list, open, show the answer; take a case into it, approve, take down, export."""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from chevet.relay.accounts.users import User
from chevet.relay.api import shapes
from chevet.relay.api.guard import Discusser, Here, Reader, Specialist
from chevet.relay.archive.lessons import TEACHING, Kept
from chevet.relay.errors import RefusedError
from chevet.relay.exports.files import ExportFile, folder
from chevet.relay.exports.forms import ZIP, archive
from chevet.relay.exports.subject import Subject
from chevet.relay.teaching.identity import band
from chevet.relay.teaching.lesson import LOOKED_AT, Item, Lesson, items_of
from chevet.relay.teaching.masked import Masked
from chevet.study.specialties import SPECIALTIES

router = APIRouter(prefix="/api")
Json = dict[str, Any]
LAYERS = (1, 2, 3)
MOST_POINTS = 8
MOST_ITEMS = 200
Form = Annotated[Literal["wfdb", "edf", "wav", "dicom", "fhir"], Query()]
Short = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
Text = Annotated[str, Field(min_length=1, max_length=8000, pattern=r"\S")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class ItemBody(_Body):
    """One thing to show; `looked` where somebody looked for faces and listened for voices."""

    recording: Annotated[str, Field(max_length=36)]
    kind: Literal["signal", "sound", "picture", "clip"]
    number: Annotated[int, Field(ge=0, le=999)] = 0
    looked: bool = False


class LessonBody(_Body):
    """What a person reviewed and chose."""

    title: Short
    specialty: Short
    story: Annotated[str, Field(max_length=8000)] = ""
    question: Text
    answer: Text
    points: Annotated[list[Annotated[str, Field(max_length=500)]], Field(max_length=MOST_POINTS)] = []
    items: Annotated[list[ItemBody], Field(max_length=MOST_ITEMS)]


@router.get("/cases/{case_id}/teaching")
def proposal(case_id: str, relay: Here, user: Specialist) -> Json:
    """Return what could be taken of a case, with the texts to review."""
    case, there = relay.lessons.of_case(case_id, user)
    study = case.study
    said = [one for one, holds in relay.answers.conversation(case_id).opinions if holds]
    words = [said[-1].impression, said[-1].advice] if said else []
    return {
        "allowed": TEACHING in study.consent.purposes,
        "whole": case.complete_ms is not None,
        "patient": {"sex": study.patient.sex, "band": band(shapes.age(study))},
        "specialty": study.specialty,
        "question": study.question,
        "answer": "\n".join(one for one in words if one),
        "items": [
            {
                "recording": one.recording,
                "kind": one.kind,
                "number": one.number,
                "look": one.kind in LOOKED_AT,
            }
            for one in items_of(study.recordings)
        ],
        "lessons": [_listed(one, user) for one in there],
    }


@router.post("/cases/{case_id}/teaching", status_code=201)
def add(case_id: str, body: LessonBody, relay: Here, user: Specialist) -> Json:
    """Take a case into the library; it is listed once another person approved it."""
    if body.specialty not in SPECIALTIES:
        raise RefusedError(422, "invalid", "Choose a specialty of the list.", "specialty")
    chosen = [(Item(one.recording, one.kind, one.number), one.looked) for one in body.items]
    lesson = Lesson(
        title=body.title.strip(),
        specialty=body.specialty,
        story=body.story.strip(),
        question=body.question.strip(),
        answer=body.answer.strip(),
        points=tuple(point.strip() for point in body.points if point.strip()),
        items=tuple(sorted({item for item, _ in chosen})),
    )
    return {"id": relay.lessons.add(case_id, lesson, frozenset(item for item, seen in chosen if seen), user)}


@router.get("/teaching")
def library(relay: Here, user: Discusser) -> Json:
    """List the lessons, the newest first; specialists also see those that wait for a second person."""
    return {"lessons": [_listed(one, user) for one in relay.lessons.all(user)]}


@router.get("/teaching/{teaching_id}")
def lesson(teaching_id: str, relay: Here, user: Discusser) -> Json:
    """Open a lesson, without its answer."""
    kept, shown = relay.lessons.open(teaching_id, user, "read")
    study = shown.case.study
    return _listed(kept, user) | {
        "story": kept.lesson.story,
        "vitals": [shapes.vital(one) for one in study.vitals],
        "recordings": [
            shapes.recording(one, shown.case.shapes[one.id]) | {"layers": _layers(shown, one.id)}
            for one in study.recordings
        ],
    }


@router.get("/teaching/{teaching_id}/answer")
def answer(teaching_id: str, relay: Here, user: Discusser) -> Json:
    """Show the answer and what there is to learn."""
    kept, _ = relay.lessons.open(teaching_id, user, "answer")
    return {"answer": kept.lesson.answer, "points": list(kept.lesson.points)}


@router.post("/teaching/{teaching_id}/approve", status_code=204)
def approve(teaching_id: str, relay: Here, user: Specialist) -> None:
    """Approve a lesson that another person added."""
    relay.lessons.approve(teaching_id, user)


@router.delete("/teaching/{teaching_id}", status_code=204)
def take_down(teaching_id: str, relay: Here, user: Reader) -> None:
    """Take a lesson out of the library."""
    relay.lessons.take_down(teaching_id, user)


@router.get("/teaching/{teaching_id}/export", response_class=StreamingResponse)
def export(teaching_id: str, relay: Here, user: Specialist, form: Form) -> StreamingResponse:
    """Return a lesson's recordings in one form, with its words, as a ZIP archive."""
    kept, shown = relay.lessons.open(teaching_id, user, "export")
    found = Subject(relay, shown.case, shown.stored, "pseudonym", purpose=TEACHING)
    words = ExportFile("lesson.json", "application/json", lambda: _words(kept))
    headers = {"Content-Disposition": f'attachment; filename="{folder(found)}-{form}.zip"'}
    return StreamingResponse(archive(found, form, [words]), media_type=ZIP, headers=headers)


def _words(kept: Kept) -> Iterator[bytes]:
    it = kept.lesson
    told = it.texts() | {"points": list(it.points), "specialty": it.specialty, "patient": _patient(kept)}
    yield json.dumps(told, ensure_ascii=False, indent=2).encode()


def _patient(kept: Kept) -> Json:
    study = kept.case.study
    return {"sex": study.patient.sex, "band": band(shapes.age(study))}


def _listed(kept: Kept, user: User) -> Json:
    """Return a Lesson as the list shows it: nothing of its answer."""
    it = kept.lesson
    steps = {one.id: one.step for one in kept.case.study.recordings}
    return {
        "id": kept.id,
        "state": kept.state,
        "title": it.title,
        "specialty": it.specialty,
        "question": it.question,
        "reason": kept.case.study.reason,
        "patient": _patient(kept),
        "steps": sorted({steps[item.recording] for item in it.items if item.recording in steps}),
        "simulated": kept.case.simulated,
        "added_by": {"id": kept.added_by[0], "name": kept.added_by[1]},
        "added_ms": kept.added_ms,
        "approved_by": {"id": kept.approved_by[0], "name": kept.approved_by[1]} if kept.approved_by else None,
        "approves": user.role == "specialist" and kept.state == "waiting" and user.id != kept.added_by[0],
    }


def _layers(shown: Masked, recording: str) -> Json:
    there = {one.layer for one in shown.stored if one.recording == recording}
    return {str(layer): {"have": 1, "total": 1, "bytes": 0} for layer in LAYERS if layer in there}
