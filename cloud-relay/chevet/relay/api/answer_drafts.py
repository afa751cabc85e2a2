"""Drafts of answers, kept at the relay while they are written: for another device, or after time offline."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from chevet.relay.accounts.users import User
from chevet.relay.api.answers import MOST_MEDICINES, Day, MedicineBody, Words
from chevet.relay.api.guard import Here, Specialist
from chevet.relay.archive.answer_drafts import AnswerDrafts, Kept
from chevet.relay.archive.cases import require_claim
from chevet.relay.relay import Relay

router = APIRouter(prefix="/api/cases/{case_id}")
Json = dict[str, Any]


class DraftBody(BaseModel):
    """What the answer form holds, chosen or not; and what it was written from."""

    model_config = ConfigDict(extra="forbid", strict=True)
    impression: Words
    certainty: Literal["", "certain", "probable", "possible"]
    advice: Words
    urgency: Literal["", "routine", "urgent", "emergency"]
    transfer: bool | None
    follow_up_date: Day | Literal[""]
    medicines: Annotated[list[MedicineBody], Field(max_length=MOST_MEDICINES)]
    keep_voice: bool = False
    opinions: Annotated[int, Field(ge=0, le=10_000)]
    replaces_ms: Annotated[int, Field(ge=0, le=1 << 53)] | None = None


@router.put("/draft")
def keep_draft(case_id: str, body: DraftBody, relay: Here, user: Specialist) -> Json:
    """Keep what the caller has written so far; nothing of it is signed or sent."""
    now = relay.now_ms()
    words = body.model_dump(exclude={"opinions", "replaces_ms"})
    with relay.database.write() as connection:
        require_claim(relay.cases.get(connection, case_id), user)
        kept = Kept(words, body.opinions, now)
        AnswerDrafts(relay.keys.audit).keep(connection, case_id, user.id, kept, body.replaces_ms)
        relay.audit.add(connection, now, user.id, "draft.keep", case_id)
    return {"at_ms": now}


@router.delete("/draft", status_code=204)
def drop_draft(case_id: str, relay: Here, user: Specialist) -> None:
    """Throw the caller's draft away."""
    with relay.database.write() as connection:
        relay.cases.get(connection, case_id)
        AnswerDrafts(relay.keys.audit).forget(connection, case_id, user.id)
        relay.audit.add(connection, relay.now_ms(), user.id, "draft.drop", case_id)


def draft_of(relay: Relay, case_id: str, user: User) -> Json | None:
    """Return the caller's own draft of a case as the desk reads it, or None."""
    with relay.database.read() as connection:
        found = AnswerDrafts(relay.keys.audit).of(connection, case_id, user.id)
    return None if found is None else found.words | {"opinions": found.opinions, "at_ms": found.at_ms}
