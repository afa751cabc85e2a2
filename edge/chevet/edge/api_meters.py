"""Numbers that instruments measured by themselves: show them, take them into the visit."""

import asyncio
from typing import Any

from fastapi import APIRouter, Depends, Request

from chevet.edge.bedside import Bedside
from chevet.edge.bodies import TakeMeasured
from chevet.edge.errors import Refusal
from chevet.edge.instruments import Instrument
from chevet.edge.judge import numbers_mark
from chevet.edge.meters import Measured, vitals_of
from chevet.edge.sessions import COOKIE
from chevet.edge.shapes import quality_shape, reading_shape
from chevet.edge.workers import Worker


def meter_routes(bedside: Bedside) -> APIRouter:
    """Return the routes; all of them need a session."""

    def signed_in(request: Request) -> Worker:
        return bedside.sessions.require(request.cookies.get(COOKIE))

    label = bedside.settings.label
    routes = APIRouter(prefix="/api/visits", dependencies=[Depends(signed_in)])

    @routes.get("/{visit_id}/measured")
    async def measured(visit_id: str) -> dict[str, Any]:
        visit = await asyncio.to_thread(bedside.visits.get, visit_id)
        found = [
            measured_shape(instrument, newest)
            for instrument in bedside.instruments.values()
            if instrument.serves(training=bool(visit.words.training), label=label)
            and (newest := bedside.live.meters.measured(instrument.id, visit.created_ms)) is not None
        ]
        return {"measured": found}

    @routes.post("/{visit_id}/measured")
    async def take(visit_id: str, body: TakeMeasured) -> dict[str, Any]:
        visit = await asyncio.to_thread(bedside.visits.get, visit_id)
        instrument = bedside.instruments.get(body.device)
        newest = bedside.live.meters.measured(body.device, visit.created_ms)
        training = bool(visit.words.training)
        if instrument is None or newest is None or not instrument.serves(training=training, label=label):
            raise Refusal(
                "nothing_measured", "This instrument measured nothing in this visit; measure again."
            )
        vitals = vitals_of(newest, instrument.settings.driver)
        taken = await asyncio.to_thread(bedside.rules.take, visit_id, vitals)
        bedside.live.meters.forget(body.device)
        return await asyncio.to_thread(bedside.visit, taken)

    return routes


def measured_shape(instrument: Instrument, newest: Measured) -> dict[str, Any]:
    """Return Measured of docs/api.md."""
    return {
        "device": instrument.id,
        "instrument": instrument.kind,
        "at_ms": newest.at_ms,
        "readings": [reading_shape(reading) for reading in newest.readings],
        "quality": quality_shape(numbers_mark(newest.readings)),
    }
