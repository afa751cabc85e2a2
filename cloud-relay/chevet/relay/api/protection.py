"""Breaking the glass and its review; withdrawal of a patient's consent."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from chevet.relay.accounts.rules import MINUTE_MS
from chevet.relay.accounts.users import User
from chevet.relay.api.guard import Allowed, Here, Reader
from chevet.relay.archive.glass import break_glass, every_time, review
from chevet.relay.erasure import withdraw
from chevet.relay.errors import RefusedError

router = APIRouter(prefix="/api")
Json = dict[str, Any]
Coordinator = Annotated[User, Depends(Allowed("coordinator"))]
Watcher = Annotated[User, Depends(Allowed("coordinator", "auditor"))]
Auditor = Annotated[User, Depends(Allowed("auditor"))]


class GlassBody(BaseModel):
    """Why the glass is broken; a code, so that no word about the patient is in the record."""

    model_config = ConfigDict(extra="forbid", strict=True)
    reason: Literal["life_at_risk", "nobody_reachable", "wrong_patient_suspected", "safety_review"]


class WithdrawalBody(BaseModel):
    """What a patient no longer consents to."""

    model_config = ConfigDict(extra="forbid", strict=True)
    purposes: Annotated[
        list[Literal["care", "teaching", "research", "recording"]], Field(min_length=1, max_length=4)
    ]


@router.post("/cases/{case_id}/glass")
def break_(case_id: str, body: GlassBody, relay: Here, user: Coordinator) -> Json:
    """Let the caller read one case for some minutes, in an emergency."""
    now = relay.now_ms()
    until = now + relay.settings.break_glass_minutes * MINUTE_MS
    with relay.database.write() as connection:
        relay.cases.get(connection, case_id)
        break_glass(connection, case_id, user.id, body.reason, now, until)
        relay.audit.add(connection, now, user.id, "glass.break", case_id, body.reason)
    return {"until_ms": until}


@router.get("/glass")
def glass(relay: Here, _user: Watcher) -> Json:
    """List every time the glass was broken, the newest first; holds no patient data."""
    with relay.database.read() as connection:
        found = every_time(connection)
    return {
        "broken": [
            {
                "number": one.number,
                "case": one.case_id,
                "user": one.user,
                "reason": one.reason,
                "from_ms": one.from_ms,
                "until_ms": one.until_ms,
                "reviewed_by": one.reviewed_by,
            }
            for one in found
        ]
    }


@router.post("/glass/{number}/review", status_code=204)
def reviewed(number: Annotated[int, Path(ge=0, lt=2**31)], relay: Here, user: Auditor) -> None:
    """Note that the caller looked at one time the glass was broken."""
    now = relay.now_ms()
    with relay.database.write() as connection:
        if not review(connection, number, user.id, now):
            raise RefusedError(404, "not_found", "There is nothing to review under that number.")
        relay.audit.add(connection, now, user.id, "glass.review", str(number))


@router.post("/cases/{case_id}/withdrawal")
def withdrawal(case_id: str, body: WithdrawalBody, relay: Here, user: Reader) -> Json:
    """Withdraw a patient's consent; without consent for care the case is hidden and later destroyed."""
    return {"destroyed_at_ms": withdraw(relay, case_id, tuple(body.purposes), user.id)}
