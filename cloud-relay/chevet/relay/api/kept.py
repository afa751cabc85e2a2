"""Cases kept on a specialist's own device for reading offline: what may be kept, and what must go."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from chevet.relay.accounts.users import User
from chevet.relay.api.cookies import Browser
from chevet.relay.api.guard import Here, SignedIn, Specialist, Token
from chevet.relay.archive import kept
from chevet.relay.archive.schema import Found
from chevet.relay.errors import RefusedError
from chevet.relay.relay import Relay

router = APIRouter(prefix="/api")
Json = dict[str, Any]

MOST_HELD = 200
MOST_OPENINGS = 500
Id = Annotated[str, Field(max_length=36)]
DeviceToken = Annotated[str, Field(max_length=64)]

REFUSALS = {
    kept.GONE: (404, "not_found", "There is no such case: go back to the inbox."),
    kept.ANSWERED: (409, "answered", "The case is answered: there is nothing left to keep it for."),
    kept.NOT_CLAIMED: (409, "not_claimed", "Claim the case first: only who claimed it may keep it."),
}


class KeepBody(BaseModel):
    """Which device wants to keep the case; "" for one that keeps nothing yet."""

    model_config = ConfigDict(extra="forbid", strict=True)
    device: DeviceToken


class OpeningBody(BaseModel):
    """One reading without a line, by the device's clock."""

    model_config = ConfigDict(extra="forbid", strict=True)
    case: Id
    at_ms: Annotated[int, Field(ge=0, le=1 << 53)]


class ContactBody(BaseModel):
    """What a device says when it meets the relay again."""

    model_config = ConfigDict(extra="forbid", strict=True)
    device: DeviceToken
    cases: Annotated[list[Id], Field(max_length=MOST_HELD)]
    opened: Annotated[list[OpeningBody], Field(max_length=MOST_OPENINGS)]


@router.post("/cases/{case_id}/keep")
def keep(case_id: str, body: KeepBody, relay: Here, user: Specialist, token: Token, browser: Browser) -> Json:
    """Let the caller's device keep a case that they have claimed; the device must forget it in time."""
    days, now = relay.settings.keep_days, relay.now_ms()
    if not days:
        raise RefusedError(403, "keeping_off", "This programme does not let cases be kept on devices.")
    session = _session(relay, user, token)
    with relay.database.write() as connection:
        why = kept.refusal(connection, case_id, user.id)
        if why:
            raise RefusedError(*REFUSALS[why])
        kept.sweep_devices(connection, now)
        device = kept.device_of(connection, body.device) if body.device else None
        shown = body.device
        if device is None or device.user_id != user.id or not kept.stands(device):
            shown = kept.begin_device(connection, user.id, session, browser, now)
            device = kept.device_of(connection, shown)
        assert device is not None, "it was made a moment ago"
        kept.seen(connection, device.id, session, now)
        until = kept.note_case(connection, device.id, case_id, now, days)
        relay.audit.add(connection, now, user.id, "case.keep", case_id, f"device {device.id}, {days} days")
    return {"device": shown, "until_ms": until, "now_ms": now}


@router.post("/kept")
def contact(body: ContactBody, relay: Here, token: Token) -> Json:
    """Tell a device what it may go on keeping, and note in the audit what was read on it meanwhile.

    Needs no session: one that ended must not hinder a device from being told to forget.
    """
    now, user = relay.now_ms(), relay.sign_in.user(token, active=False)
    with relay.database.write() as connection:
        device = kept.device_of(connection, body.device)
        if device is None:
            return _told(now, dict.fromkeys(body.cases, kept.ENDED))
        given, refused = kept.standing(connection, device, now)
        _note_openings(relay, connection, device, body.opened, {*given, *refused}, now)
        kept.forget_cases(connection, device.id, ({*given, *refused} - {*body.cases}) | refused.keys())
        mine = user is not None and user.id == device.user_id
        kept.seen(connection, device.id, _session(relay, user, token) if user and mine else "", now)
    if not kept.stands(device):
        return _told(now, dict.fromkeys(body.cases, kept.ENDED))
    stay = {case: given[case] for case in body.cases if case in given}
    return _told(now, {case: refused.get(case, kept.GONE) for case in body.cases if case not in stay}, stay)


@router.get("/kept")
def devices(relay: Here, user: SignedIn, token: Token) -> Json:
    """List the caller's own devices that keep cases."""
    with relay.database.read() as connection:
        found = kept.devices_of(connection, user.id, relay.now_ms())
    session = _session(relay, user, token)
    return {
        "devices": [
            {
                "id": one.id,
                "browser": one.browser,
                "created_ms": one.created_ms,
                "seen_ms": one.seen_ms,
                "cases": one.cases,
                "until_ms": one.until_ms,
                "current": one.session_id == session,
            }
            for one in found
        ]
    }


@router.delete("/kept/{device_id}", status_code=204)
def end_device(device_id: str, relay: Here, user: SignedIn) -> None:
    """Have one of the caller's own devices forget everything when it next meets the relay."""
    now = relay.now_ms()
    with relay.database.write() as connection:
        if not kept.end_devices(connection, user.id, now, device_id=device_id):
            raise RefusedError(404, "not_found", "There is no such device: it keeps nothing any more.")
        relay.audit.add(connection, now, user.id, "kept.end", "", f"device {device_id}")


def _told(now_ms: int, gone: dict[str, str], stay: dict[str, int] | None = None) -> Json:
    return {"stands": stay is not None, "stay": stay or {}, "gone": gone, "now_ms": now_ms}


def _session(relay: Relay, user: User, token: str | None) -> str:
    """Return the id of the caller's own session."""
    lines = relay.sign_in.sessions(user, token)
    return next((line.id for line in lines if line.current), "")


def _note_openings(
    relay: Relay,
    connection: Connection,
    device: Found,
    opened: list[OpeningBody],
    known: set[str],
    now_ms: int,
) -> None:
    """Note readings of cases that this device was given; their time is what the device says it was."""
    for one in opened:
        if one.case in known:
            said = f"device {device.id} at {one.at_ms}"
            relay.audit.add(connection, now_ms, device.user_id, "case.read_offline", one.case, said)
