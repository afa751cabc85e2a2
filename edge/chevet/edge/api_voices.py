"""Voices of the conversation: a worker's own, coded and sent; and those that came, to be heard."""

import asyncio
import base64
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from chevet.edge.api_cases import detail
from chevet.edge.bedside import Bedside
from chevet.edge.bodies import Spoken
from chevet.edge.errors import Refusal, not_found
from chevet.edge.sessions import COOKIE
from chevet.edge.workers import Worker
from chevet.study.errors import BundleError
from chevet.study.spoken import OGG, encode_voice, why_unfit

SPEECH: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
    "responses": {"200": {"content": {OGG: {}}, "description": "Ogg Opus, as the desk will hear it"}},
}


def voice_routes(bedside: Bedside) -> APIRouter:
    """Return the routes; all of them need a session."""

    def signed_in(request: Request) -> Worker:
        return bedside.sessions.require(request.cookies.get(COOKIE))

    routes = APIRouter(prefix="/api/cases", dependencies=[Depends(signed_in)])

    @routes.post("/{case_id}/voice", response_class=Response, openapi_extra=SPEECH)
    async def encode(case_id: str, request: Request) -> Response:
        speech = await request.body()
        try:
            await asyncio.to_thread(bedside.cases.get, case_id)
            ogg = await asyncio.to_thread(encode_voice, speech)
        except BundleError as error:
            raise unfit(error) from None
        return Response(ogg, media_type=OGG)

    @routes.post("/{case_id}/notes", status_code=201)
    async def note(case_id: str, body: Spoken, request: Request) -> dict[str, Any]:
        case = await asyncio.to_thread(bedside.cases.get, case_id)
        closing, now = bedside.rules.closing, bedside.clock.reading()
        ogg = base64.b64decode(body.voice)
        try:
            await asyncio.to_thread(closing.tell_note, case, signed_in(request), ogg, now)
        except BundleError as error:
            raise unfit(error) from None
        bedside.spooled.set()
        return await asyncio.to_thread(lambda: detail(bedside, bedside.cases.get(case_id)))

    @routes.get("/{case_id}/voices/{voice_id}", response_class=Response)
    async def listen(case_id: str, voice_id: str) -> Response:
        return Response(await asyncio.to_thread(_heard, bedside, case_id, voice_id), media_type=OGG)

    return routes


def _heard(bedside: Bedside, case_id: str, voice_id: str) -> bytes:
    """Return the sound of a voice note that verified words of the case name."""
    bedside.cases.get(case_id)
    named = bedside.cases.voices(case_id).get(voice_id)
    if named is None:
        raise not_found("voice note")
    ogg = bedside.cases.voice(case_id, named)
    if ogg is None:
        raise Refusal("not_yet_here", "The sound is still on its way: its words came first.", status=404)
    return ogg


def unfit(error: BundleError) -> Refusal:
    """Return what is wrong with a voice note in words a screen can use."""
    code, sentence = why_unfit(error)
    return Refusal(f"voice_{code}", sentence, status=422, field="voice")
