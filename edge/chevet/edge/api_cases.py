"""Cases: what was sent, how far it is, what came back."""

import asyncio
from typing import Any

from fastapi import APIRouter, Depends, Request

from chevet.edge.bedside import Bedside
from chevet.edge.bodies import Feedback
from chevet.edge.case_shapes import delivery_shape, message_shape, opinion_shape
from chevet.edge.cases import Case
from chevet.edge.sessions import COOKIE
from chevet.edge.workers import Worker


def case_routes(bedside: Bedside) -> APIRouter:
    """Return the routes; all of them need a session."""

    def signed_in(request: Request) -> Worker:
        return bedside.sessions.require(request.cookies.get(COOKIE))

    routes = APIRouter(prefix="/api/cases", dependencies=[Depends(signed_in)])

    @routes.get("")
    async def all_cases() -> dict[str, Any]:
        cases = await asyncio.to_thread(bedside.cases.all)
        return {"cases": [bedside.case(case) for case in cases]}

    @routes.get("/{case_id}")
    async def get_case(case_id: str) -> dict[str, Any]:
        return await asyncio.to_thread(lambda: detail(bedside, bedside.cases.get(case_id)))

    @routes.post("/{case_id}/read")
    async def read(case_id: str) -> dict[str, Any]:
        case = await asyncio.to_thread(bedside.cases.read, case_id)
        bedside.tell_case(case)
        return await asyncio.to_thread(detail, bedside, case)

    @routes.post("/{case_id}/feedback")
    async def feedback(case_id: str, body: Feedback, request: Request) -> dict[str, Any]:
        before = await asyncio.to_thread(bedside.cases.get, case_id)
        case = await asyncio.to_thread(bedside.cases.rate, case_id, body.face)
        if before.words.feedback != body.face:
            closing, now = bedside.rules.closing, bedside.clock.reading()
            await asyncio.to_thread(closing.tell_feedback, case, signed_in(request), body.face, now)
            bedside.spooled.set()
        return await asyncio.to_thread(detail, bedside, case)

    @routes.get("/{case_id}/delivery")
    async def delivery(case_id: str) -> dict[str, Any]:
        return delivery_shape(await asyncio.to_thread(bedside.cases.get, case_id))

    return routes


def detail(bedside: Bedside, case: Case) -> dict[str, Any]:
    """Return FullCase: a case with all that was said about it."""
    visit = bedside.visit(bedside.visits.get(case.id))
    voices = bedside.cases.voice_states(case.id)
    return bedside.case(case) | {
        "opinions": [opinion_shape(*opinion, voices) for opinion in bedside.cases.opinions(case.id)],
        "messages": [message_shape(*message, voices) for message in bedside.cases.messages(case.id)],
        "recordings": visit["recordings"],
        "vitals": visit["vitals"],
        "question": visit["question"],
        "patient": visit["patient"],
        "language": visit["language"],
        "path": visit["path"],
        "history": visit["history"],
    }
