"""The specialist's voice: speech in, the very sound that will be signed out; and hearing what was said."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from chevet.relay.accounts.users import User
from chevet.relay.api.guard import Here, Specialist
from chevet.relay.errors import RefusedError
from chevet.relay.relay import Relay
from chevet.study.errors import BundleError
from chevet.study.spoken import OGG, encode_voice, why_unfit

router = APIRouter(prefix="/api/cases/{case_id}")

SPEECH: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
    "responses": {"200": {"content": {OGG: {}}, "description": "Ogg Opus, as the site will hear it"}},
}


def unfit(error: BundleError) -> RefusedError:
    """Return what is wrong with a voice note in words a screen can use."""
    code, sentence = why_unfit(error)
    return RefusedError(422, f"voice_{code}", sentence, "voice")


@router.post("/voice", response_class=Response, openapi_extra=SPEECH)
async def encode(case_id: str, request: Request, relay: Here, _user: Specialist) -> Response:
    """Code speech (16 kHz, 16 bits, one channel) as it would travel; nothing of it is kept here."""
    speech = await request.body()
    try:
        ogg = await asyncio.to_thread(_coded, relay, case_id, speech)
    except BundleError as error:
        raise unfit(error) from None
    return Response(ogg, media_type=OGG)


@router.get("/voices/{voice_id}", response_class=Response)
def listen(case_id: str, voice_id: str, relay: Here, user: Specialist) -> Response:
    """Return the sound of a voice note that verified words of this case name."""
    return Response(_heard(relay, user, case_id, voice_id), media_type=OGG)


def _coded(relay: Relay, case_id: str, speech: bytes) -> bytes:
    with relay.database.read() as connection:
        relay.cases.get(connection, case_id)
    return encode_voice(speech)


def _heard(relay: Relay, user: User, case_id: str, voice_id: str) -> bytes:
    with relay.database.read() as connection:
        relay.cases.get(connection, case_id)
    ogg = relay.answers.voice(case_id, voice_id)
    relay.cases.note(user, "voice.heard", case_id, voice_id)
    return ogg
