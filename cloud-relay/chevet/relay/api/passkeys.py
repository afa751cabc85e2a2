"""Passkeys: signing in with one, giving one instead of a code, and an account's own."""

import base64
import binascii
import unicodedata
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from chevet.relay.accounts.authenticators import Given, Made
from chevet.relay.accounts.challenges import LIFE_MS
from chevet.relay.accounts.passkeys import MAX_NAME, MOST, Passkey
from chevet.relay.accounts.proof import Proof
from chevet.relay.api.cookies import Address, Browser, Origin, TryToken, end_try, keep_try, signed_answer
from chevet.relay.api.guard import MAX_CODE, Here, SignedIn, Token
from chevet.relay.errors import RefusedError

router = APIRouter(prefix="/api")
Json = dict[str, Any]
MAX_ID = 1364
"""Characters of a credential's id, at most 1023 bytes (Web Authentication, level 3, section 6.5.2)."""
MAX_PART = 16384


def _base64url(value: str) -> str:
    raw(value)
    return value


def raw(value: str) -> bytes:
    """Return the bytes of a text in base64url without padding.

    Raises:
        ValueError: it is none.
    """
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("this is no base64url") from None


def _without_controls(value: str) -> str:
    if any(unicodedata.category(letter) == "Cc" for letter in value):
        raise ValueError("a name has no control characters")
    return value


Id = Annotated[str, Field(min_length=1, max_length=MAX_ID), AfterValidator(_base64url)]
Part = Annotated[str, Field(min_length=1, max_length=MAX_PART), AfterValidator(_base64url)]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME),
    AfterValidator(_without_controls),
]


class GivenBody(BaseModel):
    """What a passkey answered, each part in base64url."""

    model_config = ConfigDict(extra="forbid", strict=True)
    id: Id
    client_data: Part
    authenticator_data: Part
    signature: Part
    handle: Annotated[str, Field(max_length=128), AfterValidator(_base64url)] = ""

    def given(self) -> Given:
        """Return it as bytes."""
        return Given(
            raw(self.id),
            raw(self.client_data),
            raw(self.authenticator_data),
            raw(self.signature),
            raw(self.handle),
        )


class PurposeBody(BaseModel):
    """What a passkey is asked for before somebody is signed in: instead of everything, or of a code."""

    model_config = ConfigDict(extra="forbid", strict=True)
    to: Literal["sign_in", "second"]


class SignInBody(PurposeBody):
    """What the sign-in screen sends of a passkey."""

    passkey: GivenBody


class ProofBody(BaseModel):
    """The second factor, where it was not given a moment ago: a code or a passkey."""

    model_config = ConfigDict(extra="forbid", strict=True)
    code: Annotated[str | None, Field(min_length=1, max_length=MAX_CODE)] = None
    passkey: GivenBody | None = None

    def proof(self) -> Proof:
        """Return what was given, None for nothing."""
        return self.passkey.given() if self.passkey else self.code


class NewBody(BaseModel):
    """A passkey that was made, and its owner's name for it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    name: Name
    id: Id
    client_data: Part
    attestation: Part
    transports: Annotated[list[Annotated[str, Field(max_length=20)]], Field(max_length=8)] = []


@router.post("/session/passkey/options")
def ask(
    body: PurposeBody, relay: Here, token: Token, response: Response, origin: Origin, address: Address
) -> Json:
    """Ask for a passkey: of anybody, or of whoever gave the password to a half-open session."""
    _here(relay.passkeys.place.passkeys)
    relay.passkeys.place.check(origin, "Passkeys")
    if body.to == "second":
        return relay.passkeys.ask_second(token)
    tried, options = relay.passkeys.ask(address)
    keep_try(relay, response, tried, LIFE_MS)
    return options


@router.post("/session/passkey")
def give(
    body: SignInBody,
    relay: Here,
    token: Token,
    tried: TryToken,
    response: Response,
    address: Address,
    browser: Browser,
) -> Json:
    """Take what a passkey answered; the cookie changes."""
    if body.to == "second":
        return signed_answer(
            relay, response, relay.sign_in.give_code(token or "", body.passkey.given(), address)
        )
    signed = relay.passkeys.sign_in(tried, body.passkey.given(), address=address, browser=browser)
    end_try(response)
    return signed_answer(relay, response, signed)


@router.get("/passkeys")
def passkeys(relay: Here, user: SignedIn) -> Json:
    """List the caller's own passkeys, and the one address they work at."""
    place = relay.passkeys.place
    found = [_shape(one) for one in relay.passkeys.list(user)]
    return {"passkeys": found, "most": MOST, "origin": place.origin, "possible": place.passkeys}


@router.post("/passkeys/proof")
def ask_again(relay: Here, user: SignedIn, token: Token, origin: Origin) -> Json:
    """Ask for a passkey before something is signed or changed."""
    _here(relay.passkeys.place.passkeys)
    relay.passkeys.place.check(origin, "Passkeys")
    return relay.passkeys.ask_again(token, user)


@router.post("/passkeys/options")
def ask_new(
    body: ProofBody, relay: Here, user: SignedIn, token: Token, origin: Origin, address: Address
) -> Json:
    """Begin to make a passkey, after the second factor."""
    _here(relay.passkeys.place.passkeys)
    relay.passkeys.place.check(origin, "Passkeys")
    return relay.passkeys.ask_new(token, user, body.proof(), address)


@router.post("/passkeys", status_code=201)
def add(body: NewBody, relay: Here, user: SignedIn, token: Token) -> Json:
    """Keep a passkey that was made."""
    made = Made(raw(body.id), raw(body.client_data), raw(body.attestation), tuple(body.transports))
    return _shape(relay.passkeys.add(token, user, body.name, made))


@router.post("/passkeys/{passkey_id}/removal", status_code=204)
def remove(
    passkey_id: str, body: ProofBody, relay: Here, user: SignedIn, token: Token, address: Address
) -> None:
    """Remove one of the caller's passkeys, after the second factor."""
    relay.passkeys.remove(token, user, passkey_id, body.proof(), address)


def _shape(one: Passkey) -> Json:
    return {"id": one.id, "name": one.name, "created_ms": one.created_ms, "used_ms": one.used_ms}


def _here(possible: bool) -> None:
    if not possible:
        raise RefusedError(
            409,
            "no_passkeys_here",
            "Browsers give passkeys only to a name with https: set desk_url to such an address of the desk.",
        )
