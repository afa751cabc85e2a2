"""Captures: start, follow, stop, replay, decide."""

import asyncio
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from chevet.edge.bedside import Bedside
from chevet.edge.bodies import Accept, NewCapture
from chevet.edge.errors import Refusal
from chevet.edge.recorded import pictures_of, waveforms
from chevet.edge.sessions import COOKIE
from chevet.edge.shapes import capture_shape
from chevet.edge.visits import RECORDING, CaptureRow
from chevet.edge.wire import samples_frame, sound_file
from chevet.edge.workers import Worker
from chevet.study.recording import Waveform


def capture_routes(bedside: Bedside) -> APIRouter:
    """Return the routes; all of them need a session."""

    def signed_in(request: Request) -> Worker:
        return bedside.sessions.require(request.cookies.get(COOKIE))

    routes = APIRouter(prefix="/api", dependencies=[Depends(signed_in)])
    rules, captures = bedside.rules, bedside.captures

    @routes.post("/visits/{visit_id}/captures", status_code=201)
    async def start(visit_id: str, body: NewCapture) -> dict[str, Any]:
        row = await rules.capture(
            visit_id, body.step, site=body.site, side=body.side, seconds=body.seconds, device=body.device
        )
        return capture_shape(row)

    @routes.get("/captures/{capture_id}")
    async def get_capture(capture_id: str) -> dict[str, Any]:
        return capture_shape(await asyncio.to_thread(captures.get, capture_id))

    @routes.post("/captures/{capture_id}/stop")
    async def stop(capture_id: str) -> dict[str, Any]:
        return capture_shape(await captures.stop(capture_id))

    @routes.post("/captures/{capture_id}/accept")
    async def accept(capture_id: str, body: Accept) -> dict[str, Any]:
        visit = await asyncio.to_thread(rules.accept, capture_id, poor=body.poor, best=body.best)
        rules.closing.copies.soon(capture_id)
        return await asyncio.to_thread(bedside.visit, visit)

    @routes.post("/captures/{capture_id}/discard")
    async def discard(capture_id: str) -> dict[str, Any]:
        visit = await asyncio.to_thread(rules.discard, capture_id)
        return await asyncio.to_thread(bedside.visit, visit)

    _replay_routes(routes, bedside)
    return routes


def _replay_routes(routes: APIRouter, bedside: Bedside) -> None:
    @routes.get("/captures/{capture_id}/picture/{number}")
    async def picture(capture_id: str, number: int) -> Response:
        return await asyncio.to_thread(_picture, bedside, capture_id, number)

    @routes.get("/captures/{capture_id}/waveform")
    async def waveform(capture_id: str) -> Response:
        wave = await asyncio.to_thread(_waveform, bedside, capture_id)
        data = samples_frame(
            wave.channels,
            wave.values,
            0,
            at_ms=bedside.clock.now_ms(),
            recording=capture_id,
            gaps=[(gap.first, gap.count) for gap in wave.gaps],
            layer="lossless",
        )
        return Response(data, media_type="application/octet-stream")

    @routes.get("/captures/{capture_id}/sound")
    async def sound(capture_id: str) -> Response:
        wave = await asyncio.to_thread(_waveform, bedside, capture_id)
        return Response(sound_file(wave), media_type="audio/wav")


def _waveform(bedside: Bedside, capture_id: str) -> Waveform:
    _ended(bedside, capture_id)
    laid = waveforms(bedside.captures.journal(capture_id))
    if not laid:
        raise Refusal("not_found", "This recording has no waveform.", status=404)
    return laid[0]


def _picture(bedside: Bedside, capture_id: str, number: int) -> Response:
    row = _ended(bedside, capture_id)
    stills = row.judged.stills if row.judged else ()
    if not 0 <= number < len(stills):
        raise Refusal("not_found", "There is no such picture.", status=404)
    image = pictures_of(bedside.captures.journal(capture_id))[stills[number]]
    return Response(image.data, media_type=image.media_type)


def _ended(bedside: Bedside, capture_id: str) -> CaptureRow:
    row = bedside.captures.get(capture_id)
    if row.state == RECORDING:
        raise Refusal("capture_running", "The recording is still running; stop it first.")
    return row
