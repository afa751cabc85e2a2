"""Alerts to the caller's browsers: what a browser needs to take them, which ones do, one more, one less."""

import base64
import binascii
from typing import Annotated, Any

from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from chevet.relay.api.cookies import Browser
from chevet.relay.api.guard import Here, SignedIn
from chevet.relay.archive import browsers
from chevet.relay.duty.post import NotSent
from chevet.relay.duty.web_push import AUTH, POINT, Gone, Push, Subscription, push_of
from chevet.relay.duty.words import trial
from chevet.relay.errors import RefusedError
from chevet.relay.relay import Relay

router = APIRouter(prefix="/api/push")
Json = dict[str, Any]
Number = Annotated[int, Path(ge=0, lt=2**31)]


class KeysBody(BaseModel):
    """A browser's public point and secret, base64url."""

    model_config = ConfigDict(extra="forbid", strict=True)
    p256dh: Annotated[str, Field(max_length=100)]
    auth: Annotated[str, Field(max_length=40)]


class SubscriptionBody(BaseModel):
    """What a browser's push manager gave (Push API, PushSubscriptionJSON)."""

    model_config = ConfigDict(extra="forbid", strict=True)
    endpoint: Annotated[str, Field(max_length=1024)]
    keys: KeysBody


@router.get("")
def ways(relay: Here, user: SignedIn) -> Json:
    """Tell the relay's key, "" where it sends no push, and which of the caller's browsers take alerts."""
    push = push_of(relay.settings)
    with relay.database.read() as connection:
        found = browsers.listeners(connection, user.id)
    return {
        "key": push.public if push else "",
        "browsers": [
            {
                "number": one.number,
                "mark": one.mark,
                "browser": one.browser,
                "created_ms": one.created_ms,
                "taken_ms": one.taken_ms,
            }
            for one in found
        ],
    }


@router.post("", status_code=201)
def listen(body: SubscriptionBody, relay: Here, user: SignedIn, browser: Browser) -> Json:
    """Send the caller's alerts to this browser from now on."""
    push = _push(relay)
    to = _subscription(body)
    if not push.takes(body.endpoint):
        raise RefusedError(
            422, "unknown_service", "This browser's push service is none the relay may call.", "endpoint"
        )
    with relay.database.write() as connection:
        number = browsers.listen(connection, user.id, to, browser, relay.now_ms())
        if number is None:
            raise RefusedError(
                409, "too_many_browsers", f"{browsers.MOST} browsers take your alerts: remove one first."
            )
        relay.audit.add(connection, relay.now_ms(), user.id, "push.add", user.id, str(number))
    return {"number": number}


@router.delete("/{number}", status_code=204)
def forget(number: Number, relay: Here, user: SignedIn) -> None:
    """Send the caller's alerts to that browser no more."""
    with relay.database.write() as connection:
        if not browsers.forget_listener(connection, number, user.id):
            raise RefusedError(404, "not_found", "There is no such browser: reload the list.")
        relay.audit.add(connection, relay.now_ms(), user.id, "push.remove", user.id, str(number))


@router.post("/{number}/trial", status_code=204)
def try_out(number: Number, relay: Here, user: SignedIn) -> None:
    """Send a trial alert to one of the caller's browsers."""
    push = _push(relay)
    with relay.database.read() as connection:
        found = [one for one in browsers.listeners(connection, user.id) if one.number == number]
    if not found:
        raise RefusedError(404, "not_found", "There is no such browser: reload the list.")
    try:
        push.send(found[0].to, trial(next(iter(user.languages), "")), 2, relay.now_ms() // 1000)
    except Gone:
        forget(number, relay, user)
        raise RefusedError(
            410, "gone", "That browser takes alerts no more: switch them on there again."
        ) from None
    except NotSent as problem:
        raise RefusedError(
            502, "not_sent", f"The push service did not take it ({problem}): try later."
        ) from None


def _push(relay: Relay) -> Push:
    found = push_of(relay.settings)
    if found is None:
        raise RefusedError(409, "not_set_up", "This relay sends no push: the operator sets push_contact.")
    return found


def _subscription(body: SubscriptionBody) -> Subscription:
    try:
        point, auth = _raw(body.keys.p256dh), _raw(body.keys.auth)
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise RefusedError(422, "invalid", "These are no keys of a browser.", "keys") from None
    if len(point) != POINT or len(auth) != AUTH:
        raise RefusedError(422, "invalid", "These are no keys of a browser.", "keys")
    return Subscription(body.endpoint, point, auth)


def _raw(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("no base64url") from None
