"""The cookies of signing in: the session's, and that of a try to sign in which has no session yet."""

from typing import Annotated, Any

from fastapi import Depends, Response
from starlette.requests import HTTPConnection

from chevet.relay.accounts.sign_in import Signed
from chevet.relay.accounts.users import User
from chevet.relay.api.guard import COOKIE, address_of
from chevet.relay.relay import Relay

TRY = "chevet_try"
BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux")
Json = dict[str, Any]


def _browser(connection: HTTPConnection) -> str:
    """Return a coarse name such as "Firefox, Android": enough to know one's own sessions by."""
    agent = connection.headers.get("user-agent", "")
    program = next((name for mark, name in BROWSERS.items() if mark in agent), "")
    system = next((name for name in SYSTEMS if name in agent), "")
    return ", ".join(part for part in (program, system) if part)


def _try(connection: HTTPConnection) -> str:
    return connection.cookies.get(TRY, "")


def _origin(connection: HTTPConnection) -> str | None:
    return connection.headers.get("origin")


Address = Annotated[str, Depends(address_of)]
Browser = Annotated[str, Depends(_browser)]
TryToken = Annotated[str, Depends(_try)]
Origin = Annotated[str | None, Depends(_origin)]
"""Where the page that calls stands, None where no browser calls."""


def user_shape(user: User) -> Json:
    """Return the user as the desk reads it."""
    return {
        "id": user.id,
        "name": user.name,
        "role": user.role,
        "specialty": user.specialty,
        "languages": list(user.languages),
    }


def signed_answer(relay: Relay, response: Response, signed: Signed) -> Json:
    """Set the session's cookie; say who it is once nothing is missing."""
    keep_session(relay, response, signed)
    if signed.stage == "open":
        return {"user": user_shape(signed.user), "next": ""}
    return {"user": None, "next": signed.stage} | passkey_shape(relay, signed.token)


def passkey_shape(relay: Relay, token: str | None) -> Json:
    """Return `passkey` where whoever holds the session has one to give instead of a code."""
    return {"passkey": True} if relay.passkeys.offered(token) else {}


def keep_session(relay: Relay, response: Response, signed: Signed) -> None:
    """Set the session's cookie."""
    response.set_cookie(
        COOKIE,
        signed.token,
        max_age=relay.sign_in.rules.longest_ms // 1000,
        path="/",
        secure=relay.settings.secure_cookies,
        httponly=True,
        samesite="strict",
    )


def keep_try(relay: Relay, response: Response, token: str, life_ms: int, *, away: bool = False) -> None:
    """Set the cookie of a try; `away` where the browser goes to another site and comes back with it."""
    response.set_cookie(
        TRY,
        token,
        max_age=life_ms // 1000,
        path="/api",
        secure=relay.settings.secure_cookies,
        httponly=True,
        samesite="lax" if away else "strict",
    )


def end_try(response: Response) -> None:
    """Take the cookie of a try away."""
    response.delete_cookie(TRY, path="/api", httponly=True)
