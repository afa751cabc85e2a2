"""Status, signing in and out."""

from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from chevet.relay.accounts.passwords import MAX_PASSWORD
from chevet.relay.accounts.sign_in import SESSION_MS
from chevet.relay.accounts.users import User
from chevet.relay.api.guard import COOKIE, Here, Token
from chevet.relay.errors import RefusedError

router = APIRouter(prefix="/api")


class SignInBody(BaseModel):
    """What the sign-in screen sends."""

    model_config = ConfigDict(extra="forbid", strict=True)
    user: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[str, Field(min_length=1, max_length=MAX_PASSWORD)]


@router.get("/status")
def status(relay: Here) -> dict[str, Any]:
    """Tell what this relay is and whether its broker answers; needs no session."""
    return {
        "programme": relay.keys.name,
        "version": version("chevet"),
        "label": relay.settings.label,
        "languages": list(relay.settings.languages),
        "broker": "online" if relay.broker_seen.online else "offline",
        "now_ms": relay.now_ms(),
    }


@router.get("/session")
def session(relay: Here, token: Token) -> dict[str, Any]:
    """Tell who is signed in, or null."""
    user = relay.sign_in.user(token)
    return {"user": user_shape(user) if user else None}


@router.post("/session")
def sign_in(body: SignInBody, relay: Here, response: Response) -> dict[str, Any]:
    """Open a session and set its cookie."""
    signed = relay.sign_in.sign_in(body.user, body.password)
    response.set_cookie(
        COOKIE,
        signed.token,
        max_age=SESSION_MS // 1000,
        path="/",
        secure=relay.settings.secure_cookies,
        httponly=True,
        samesite="strict",
    )
    return {"user": user_shape(signed.user)}


@router.delete("/session", status_code=204)
def sign_out(relay: Here, token: Token, response: Response) -> None:
    """End the session and clear its cookie."""
    user = relay.sign_in.user(token)
    if user is None or token is None:
        raise RefusedError(401, "not_signed_in", "Nobody is signed in.")
    relay.sign_in.sign_out(token, user)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


def user_shape(user: User) -> dict[str, Any]:
    """Return the user as the desk reads it."""
    return {
        "id": user.id,
        "name": user.name,
        "role": user.role,
        "specialty": user.specialty,
        "languages": list(user.languages),
    }
