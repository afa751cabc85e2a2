"""Training: the course, the open lesson, its score, the certificate."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, StringConstraints

from chevet.edge.bedside import Bedside
from chevet.edge.bodies import Empty
from chevet.edge.instruments import READY
from chevet.edge.sessions import COOKIE
from chevet.edge.shapes import patient_shape
from chevet.edge.training import Training
from chevet.edge.training_checks import step_shape
from chevet.edge.training_faults import lesson_acts
from chevet.edge.training_lessons import BY_CODE, LESSONS, Lesson
from chevet.edge.training_store import Attempt
from chevet.edge.workers import Worker

NEEDED = ("oximeter", "ecg", "stethoscope", "otoscope")
"""Instruments of the course; everything else in it is typed."""


class Begin(BaseModel):
    """Which lesson."""

    model_config = ConfigDict(extra="forbid", strict=True)
    lesson: Annotated[str, StringConstraints(max_length=32)]


class Mark(BaseModel):
    """Something done outside a visit: the call, the answer read, an answer given."""

    model_config = ConfigDict(extra="forbid", strict=True)
    mark: Annotated[
        str,
        StringConstraints(
            pattern=r"^(answer_read|called:[a-z_]{1,24}(,[a-z_]{1,24}){0,7}|answer:[a-z0-9_]{1,24})$"
        ),
    ]


class Act(BaseModel):
    """What the hands do."""

    model_config = ConfigDict(extra="forbid", strict=True)
    act: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,24}$")]


def training_routes(bedside: Bedside) -> APIRouter:
    """Return the routes; all of them need a session."""

    def signed_in(request: Request) -> Worker:
        return bedside.sessions.require(request.cookies.get(COOKIE))

    routes = APIRouter(prefix="/api/training", dependencies=[Depends(signed_in)])
    training = bedside.training

    @routes.get("")
    async def course(request: Request) -> dict[str, Any]:
        worker = signed_in(request)
        return await asyncio.to_thread(_course, bedside, worker.id)

    @routes.post("", status_code=201)
    async def begin(body: Begin, request: Request) -> dict[str, Any]:
        worker = signed_in(request)
        await bedside.hands.before(body.lesson)
        attempt = await asyncio.to_thread(training.begin, worker.id, body.lesson)
        await _tell(bedside)
        return await asyncio.to_thread(attempt_shape, training, attempt)

    @routes.post("/visit", status_code=201)
    async def lay_ready(body: Empty, request: Request) -> dict[str, Any]:  # noqa: ARG001 - the body must be empty
        worker = signed_in(request)
        visit = await asyncio.to_thread(training.lay_ready, worker.id)
        await bedside.hands.laid(await asyncio.to_thread(training.require, worker.id))
        return await asyncio.to_thread(bedside.visit, visit)

    @routes.post("/marks")
    async def mark(body: Mark, request: Request) -> dict[str, Any]:
        worker = signed_in(request)
        attempt = await asyncio.to_thread(training.mark, worker.id, body.mark)
        return await asyncio.to_thread(attempt_shape, training, attempt)

    @routes.post("/acts")
    async def act(body: Act, request: Request) -> dict[str, Any]:
        worker = signed_in(request)
        mended, attempt = await bedside.hands.act(worker.id, body.act)
        shape = await asyncio.to_thread(attempt_shape, training, attempt)
        return {"mended": mended, "attempt": shape}

    @routes.post("/finish")
    async def finish(body: Empty, request: Request) -> dict[str, Any]:  # noqa: ARG001
        worker = signed_in(request)
        attempt = await asyncio.to_thread(training.finish, worker.id)
        await bedside.hands.after()
        await _tell(bedside)
        return await asyncio.to_thread(attempt_shape, training, attempt)

    @routes.post("/stop", status_code=204)
    async def stop(body: Empty) -> None:  # noqa: ARG001
        await asyncio.to_thread(training.stop)
        await bedside.hands.after()
        await _tell(bedside)

    return routes


async def _tell(bedside: Bedside) -> None:
    """Tell every screen at once that the box is in training, or no longer."""
    bedside.live.tell({"type": "status", "status": await asyncio.to_thread(bedside.status)})


def _course(bedside: Bedside, worker: str) -> dict[str, Any]:
    training = bedside.training
    best = training.attempts.best(worker)
    current = training.attempts.current()
    certificate = training.certificate(worker)
    label = bedside.settings.label
    ready = {
        one.kind
        for one in bedside.instruments.values()
        if one.state == READY and one.serves(training=True, label=label)
    }
    return {
        "lessons": [lesson_shape(lesson, best.get(lesson.code)) for lesson in LESSONS],
        "open": attempt_shape(training, current) if current and current.worker == worker else None,
        "history": [attempt_shape(training, one) for one in training.attempts.of_worker(worker)],
        "certificate": {"at_ms": certificate.at_ms, "points": certificate.points} if certificate else None,
        "missing": [kind for kind in NEEDED if kind not in ready],
    }


def lesson_shape(lesson: Lesson, best: Attempt | None) -> dict[str, Any]:
    """Return Lesson of docs/api.md; the right answer of its question is not in it."""
    question = lesson.question
    return {
        "code": lesson.code,
        "icon": lesson.icon,
        "minutes": lesson.minutes,
        "begins": lesson.begins,
        "patient": patient_shape(lesson.patient),
        "steps": [step_shape(step) for step in lesson.all_steps],
        "question": {"code": question.code, "options": list(question.options)} if question else None,
        "hands": lesson_acts(lesson),
        "best": best.points if best else None,
    }


def attempt_shape(training: Training, attempt: Attempt) -> dict[str, Any]:
    """Return Attempt of docs/api.md: as it was scored, or as far as it is."""
    lesson = BY_CODE.get(attempt.lesson)
    values, parts = attempt.values, attempt.parts
    if attempt.ended_ms is None:
        so_far = training.score(attempt)
        values, parts = so_far.values, so_far.parts
    steps = lesson.all_steps if lesson and len(lesson.all_steps) == len(values) else ()
    return {
        "id": attempt.id,
        "lesson": attempt.lesson,
        "state": attempt.state,
        "started_ms": attempt.started_ms,
        "ended_ms": attempt.ended_ms,
        "points": attempt.points,
        "parts": parts,
        "steps": [step_shape(step, value) for step, value in zip(steps, values, strict=False)],
    }
