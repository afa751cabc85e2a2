"""Signing an opinion, sending a note, asking for a recording to be taken again; each said aloud too."""

import base64
import binascii
from datetime import date
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from chevet.relay.accounts.passwords import MAX_PASSWORD
from chevet.relay.api import shapes
from chevet.relay.api.guard import Here, Specialist, Token
from chevet.relay.api.passkeys import ProofBody
from chevet.relay.api.voices import unfit
from chevet.relay.archive.answers import Draft, Note
from chevet.relay.archive.stock import LONGEST
from chevet.study.case import Medicine
from chevet.study.errors import BundleError
from chevet.study.spoken import MOST_BYTES

router = APIRouter(prefix="/api/cases/{case_id}")
MAX_TEXT = 8000
MAX_HOW = 200
MOST_MEDICINES = 12


def _calendar_date(value: str) -> str:
    date.fromisoformat(value)
    return value


def _base64(value: str) -> str:
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ValueError("the voice note is no base64") from None
    return value


Words = Annotated[str, Field(max_length=MAX_TEXT)]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_calendar_date)]

Voice = Annotated[str, Field(max_length=4 * -(-MOST_BYTES // 3)), AfterValidator(_base64)]
"""What `POST /voice` gave, as base64; "" for silence."""


class MedicineBody(BaseModel):
    """A medicine of the site's stock list, and how it is taken."""

    model_config = ConfigDict(extra="forbid", strict=True)
    name: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    how: Annotated[str, Field(max_length=MAX_HOW)] = ""


class OpinionBody(ProofBody):
    """What the answer form sends."""

    impression: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
    certainty: Literal["certain", "probable", "possible"]
    advice: Words
    urgency: Literal["routine", "urgent", "emergency"]
    transfer: bool
    follow_up_date: Day | None
    medicines: Annotated[list[MedicineBody], Field(max_length=MOST_MEDICINES, default_factory=list)]
    voice: Voice = ""
    keep_voice: bool = False
    password: Annotated[str, Field(min_length=1, max_length=MAX_PASSWORD)]


class MessageBody(BaseModel):
    """What the thread and the retake dialogue send."""

    model_config = ConfigDict(extra="forbid", strict=True)
    kind: Literal["note", "retake"]
    step: Literal["", "oximetry", "ecg", "heart_sound", "lung_sound", "otoscopy", "photo"] = ""
    site: Annotated[str, Field(max_length=16)] = ""
    side: Literal["", "left", "right"] = ""
    text: Words = ""
    voice: Voice = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.kind == "note" and not self.text.strip() and not self.voice:
            raise ValueError("a note needs text or a voice")
        if self.kind == "retake" and not self.step:
            raise ValueError("a retake needs a step")
        if self.kind == "retake" and self.step == "photo" and not self.site:
            raise ValueError("a photograph is taken again at a place")
        return self


@router.post("/opinions", status_code=201)
def give_opinion(
    case_id: str, body: OpinionBody, relay: Here, user: Specialist, token: Token
) -> dict[str, Any]:
    """Sign an opinion with the caller's own key, which password and second factor open, and send it."""
    key = relay.sign_in.signing_key(user, body.password)
    relay.sign_in.second_look(token, user, body.proof())
    medicines = tuple(Medicine(one.name, one.how) for one in body.medicines)
    words = body.model_dump(exclude={"password", "code", "passkey", "medicines", "voice"})
    draft = Draft(**words, medicines=medicines, voice=base64.b64decode(body.voice) or None)
    try:
        return shapes.opinion(relay.answers.give_opinion(case_id, user, draft, key), verified=True)
    except BundleError as error:
        raise unfit(error) from None


@router.post("/messages", status_code=201)
def send_message(case_id: str, body: MessageBody, relay: Here, user: Specialist) -> dict[str, Any]:
    """Send a note or a retake request to the site."""
    note = Note(**body.model_dump(exclude={"voice"}), voice=base64.b64decode(body.voice) or None)
    try:
        return shapes.message(relay.answers.send_message(case_id, user, note), verified=True)
    except BundleError as error:
        raise unfit(error) from None
