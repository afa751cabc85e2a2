"""Status, signing in and out, the second factor, and the caller's own sessions."""

from importlib.metadata import version
from typing import Annotated, Any
from urllib.parse import urlsplit

import segno
from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from chevet.relay.accounts.passwords import MAX_PASSWORD
from chevet.relay.api.cookies import Address, Browser, passkey_shape, signed_answer, user_shape
from chevet.relay.api.guard import COOKIE, MAX_CODE, Here, SignedIn, Token
from chevet.relay.api.passkeys import ProofBody
from chevet.relay.settings_sign_in import SignInSettings

router = APIRouter(prefix="/api")
Json = dict[str, Any]


class SignInBody(BaseModel):
    """What the sign-in screen sends."""

    model_config = ConfigDict(extra="forbid", strict=True)
    user: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[str, Field(min_length=1, max_length=MAX_PASSWORD)]


class CodeBody(BaseModel):
    """A code of the app, or a recovery code."""

    model_config = ConfigDict(extra="forbid", strict=True)
    code: Annotated[str, Field(min_length=1, max_length=MAX_CODE)]


class FirstBody(BaseModel):
    """The password that somebody gave, and the one that its owner chose."""

    model_config = ConfigDict(extra="forbid", strict=True)
    old: Annotated[str, Field(min_length=1, max_length=MAX_PASSWORD)]
    new: Annotated[str, Field(min_length=1, max_length=MAX_PASSWORD)]


class PasswordBody(ProofBody):
    """The password that holds, and the one to come."""

    old: Annotated[str, Field(min_length=1, max_length=MAX_PASSWORD)]
    new: Annotated[str, Field(min_length=1, max_length=MAX_PASSWORD)]


@router.get("/status")
def status(relay: Here) -> Json:
    """Tell what this relay is and whether its broker answers; needs no session."""
    return {
        "programme": relay.keys.name,
        "version": version("chevet"),
        "label": relay.settings.label,
        "sealing": relay.settings.sealing,
        "languages": list(relay.settings.languages),
        "broker": "online" if relay.broker_seen.online else "offline",
        "second_factor": relay.settings.second_factor,
        "keep_days": relay.settings.keep_days,
        "passkeys": relay.passkeys.place.origin if relay.passkeys.place.passkeys else "",
        "provider": provider_name(relay.settings),
        "now_ms": relay.now_ms(),
    }


@router.get("/session")
def session(relay: Here, token: Token) -> Json:
    """Tell who is signed in, or null; and what a half-open one still lacks: "password", "enrol" or "code"."""
    user, half = relay.sign_in.user(token), relay.sign_in.half(token)
    said = {"user": user_shape(user) if user else None, "next": half[1] if half else ""}
    return said | passkey_shape(relay, token)


@router.post("/session")
def sign_in(body: SignInBody, relay: Here, response: Response, address: Address, browser: Browser) -> Json:
    """Open a session and set its cookie; where `next` says so, a second factor must follow."""
    signed = relay.sign_in.sign_in(body.user, body.password, address=address, browser=browser)
    return signed_answer(relay, response, signed)


@router.post("/session/code")
def give_code(body: CodeBody, relay: Here, token: Token, response: Response, address: Address) -> Json:
    """Give the code that a half-open session lacks; the cookie changes."""
    return signed_answer(relay, response, relay.sign_in.give_code(token or "", body.code, address))


@router.post("/session/password")
def renew_password(body: FirstBody, relay: Here, token: Token, response: Response) -> Json:
    """Choose one's own password in the place of a first one; the cookie changes."""
    return signed_answer(relay, response, relay.own_password.renew(token or "", body.old, body.new))


@router.put("/password", status_code=204)
def change_password(body: PasswordBody, relay: Here, user: SignedIn, token: Token) -> None:
    """Change the caller's own password, after the second factor; their other sessions end."""
    relay.own_password.change(token, user, body.old, body.new, body.proof())


@router.post("/session/factor")
def begin_factor(relay: Here, token: Token) -> Json:
    """Begin to enrol an authenticator app: its secret as text and as the QR that apps read."""
    enrolment = relay.sign_in.begin_enrolment(token)
    qr = segno.make(enrolment.uri, error="m").svg_data_uri(scale=4, border=2, dark="#000", light="#fff")
    return {"secret": enrolment.secret, "qr": qr}


@router.post("/session/factor/confirm")
def confirm_factor(body: CodeBody, relay: Here, token: Token, response: Response, address: Address) -> Json:
    """Take the app's first code; the answer holds the recovery codes, this once."""
    signed, codes = relay.sign_in.confirm_enrolment(token or "", body.code, address)
    return signed_answer(relay, response, signed) | {"recovery_codes": codes}


@router.delete("/session", status_code=204)
def sign_out(relay: Here, user: SignedIn, token: Token, response: Response) -> None:
    """End the session and clear its cookie."""
    relay.sign_in.sign_out(token, user)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


@router.get("/sessions")
def sessions(relay: Here, user: SignedIn, token: Token) -> Json:
    """List the caller's own sessions, the last used first."""
    return {
        "sessions": [
            {
                "id": line.id,
                "browser": line.browser,
                "created_ms": line.created_ms,
                "seen_ms": line.seen_ms,
                "ends_ms": line.ends_ms,
                "current": line.current,
            }
            for line in relay.sign_in.sessions(user, token)
        ]
    }


@router.delete("/sessions")
def end_others(relay: Here, user: SignedIn, token: Token) -> Json:
    """End every session of the caller but this one."""
    return {"ended": relay.sign_in.end_others(user, token)}


@router.delete("/sessions/{session_id}", status_code=204)
def end_session(session_id: str, relay: Here, user: SignedIn) -> None:
    """End one of the caller's own sessions."""
    relay.sign_in.end_session(user, session_id)


def provider_name(settings: SignInSettings) -> str:
    """Return what the sign-in button calls the identity provider, "" where there is none."""
    if not settings.oidc_issuer:
        return ""
    return settings.oidc_name or urlsplit(settings.oidc_issuer).hostname or ""
