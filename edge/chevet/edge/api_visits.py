"""Visits: open, resume, write, consent, vitals, skips, send, abandon."""

import asyncio
import json
from typing import Any

from fastapi import APIRouter, Depends, Request

from chevet.edge.bedside import Bedside
from chevet.edge.bodies import ConsentGiven, Empty, NewVisit, Reason, SkipStep, TypedVital, VisitChanges
from chevet.edge.continuing import continued_words
from chevet.edge.errors import Refusal
from chevet.edge.follow_up import trends_shape
from chevet.edge.sessions import COOKIE
from chevet.edge.visits import Skip
from chevet.edge.workers import Worker

SCREEN_AT_MOST = 4000
"""Characters of the kiosk's own place mark."""


def visit_routes(bedside: Bedside) -> APIRouter:
    """Return the routes; all of them need a session."""

    def signed_in(request: Request) -> Worker:
        return bedside.sessions.require(request.cookies.get(COOKIE))

    routes = APIRouter(prefix="/api/visits", dependencies=[Depends(signed_in)])
    rules = bedside.rules

    @routes.post("")
    async def open_visit(body: NewVisit, request: Request) -> dict[str, Any]:
        worker = signed_in(request)
        words = await asyncio.to_thread(bedside.training.words_for, worker.id, body.patient)
        if body.case:
            words = await asyncio.to_thread(
                continued_words, bedside.visits, bedside.cases, body.patient, body.case, body.message
            )
        visit = await asyncio.to_thread(rules.open, body.patient, worker.id, words)
        return await asyncio.to_thread(bedside.visit, visit)

    @routes.get("/current")
    async def current() -> dict[str, Any]:
        visit = await asyncio.to_thread(bedside.visits.current)
        return {"visit": await asyncio.to_thread(bedside.visit, visit) if visit else None}

    @routes.get("/{visit_id}")
    async def get_visit(visit_id: str) -> dict[str, Any]:
        visit = await asyncio.to_thread(bedside.visits.get, visit_id)
        return await asyncio.to_thread(bedside.visit, visit)

    @routes.get("/{visit_id}/trends")
    async def trends(visit_id: str) -> dict[str, Any]:
        visit = await asyncio.to_thread(bedside.visits.get, visit_id)
        visits = await asyncio.to_thread(bedside.visits.of_patient, visit.patient)
        return trends_shape(visits)

    _writing_routes(routes, bedside)

    @routes.post("/{visit_id}/send")
    async def send(visit_id: str, body: Empty) -> dict[str, Any]:  # noqa: ARG001 - the body must be empty
        visit = await asyncio.to_thread(bedside.visits.get, visit_id)
        if visit.words.training:
            await asyncio.to_thread(bedside.training.send, visit_id)
            return {"case": ""}
        case = await asyncio.to_thread(rules.send, visit_id)
        bedside.tell_case(case)
        bedside.spooled.set()
        return {"case": case.id}

    @routes.post("/{visit_id}/abandon", status_code=204)
    async def abandon(visit_id: str, body: Reason) -> None:
        await asyncio.to_thread(rules.abandon, visit_id, body.reason)

    return routes


def _writing_routes(routes: APIRouter, bedside: Bedside) -> None:
    rules = bedside.rules

    @routes.patch("/{visit_id}")
    async def write(visit_id: str, body: VisitChanges) -> dict[str, Any]:
        changes = body.changes()
        if len(json.dumps(changes.get("screen"))) > SCREEN_AT_MOST:
            raise Refusal("invalid", "The place mark is too long.", status=422, field="screen")
        visit = await asyncio.to_thread(rules.write, visit_id, changes)
        return await asyncio.to_thread(bedside.visit, visit)

    @routes.put("/{visit_id}/consent")
    async def consent(visit_id: str, body: ConsentGiven) -> dict[str, Any]:
        purposes = tuple(dict.fromkeys(body.purposes))
        visit = await asyncio.to_thread(rules.consent, visit_id, purposes, body.witness, body.override)
        return await asyncio.to_thread(bedside.visit, visit)

    @routes.put("/{visit_id}/vitals")
    async def vital(visit_id: str, body: TypedVital) -> dict[str, Any]:
        visit = await asyncio.to_thread(rules.vital, visit_id, body.kind, body.value, body.unit)
        return await asyncio.to_thread(bedside.visit, visit)

    @routes.post("/{visit_id}/skips")
    async def skip(visit_id: str, body: SkipStep) -> dict[str, Any]:
        left_out = Skip(body.step, body.site, body.side, body.reason)
        visit = await asyncio.to_thread(rules.skip, visit_id, left_out)
        return await asyncio.to_thread(bedside.visit, visit)
