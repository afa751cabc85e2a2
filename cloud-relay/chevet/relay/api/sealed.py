"""Sealed cases for the browser that can open them, and the specialists' keys; nothing is opened here."""

import base64
import binascii
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from chevet.exchange.manifest import Wrap, read_manifest
from chevet.relay.accounts.users import User
from chevet.relay.api.guard import Allowed, Here, Reader, Specialist, Token
from chevet.relay.api.passkeys import ProofBody
from chevet.relay.archive.roster import SpecialistKey
from chevet.relay.archive.sealed import MAX_ANSWER, SealedCase, SealedWords, fits
from chevet.relay.archive.stock import stock_of
from chevet.relay.errors import RefusedError
from chevet.relay.relay import Relay
from chevet.study.summary import DICTIONARY

router = APIRouter(prefix="/api/sealed")
Json = dict[str, Any]
Coordinator = Annotated[User, Depends(Allowed("coordinator"))]
Uuid = Annotated[str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")]
Key = Annotated[str, Field(min_length=44, max_length=44)]
MOST_WRAPS = 110


class KeyBody(BaseModel):
    """A key pair made in a browser, base64."""

    model_config = ConfigDict(extra="forbid", strict=True)
    seal_key: Key
    sign_key: Key
    wrapped: Annotated[str, Field(max_length=4096)]


class PrintBody(BaseModel):
    """The fingerprint that the specialist read to whoever confirms."""

    model_config = ConfigDict(extra="forbid", strict=True)
    fingerprint: Annotated[str, Field(min_length=24, max_length=40)]


class WrapBody(BaseModel):
    """The answer's key for one recipient, base64."""

    model_config = ConfigDict(extra="forbid", strict=True)
    kid: Annotated[str, Field(max_length=12)]
    wrap: Annotated[str, Field(max_length=108)]


class AnswerBody(ProofBody):
    """An opinion or message that a browser signed and sealed."""

    id: Uuid
    kind: Literal["opinion", "message"]
    version: Annotated[int, Field(ge=1, le=10_000)]
    ciphertext: Annotated[str, Field(max_length=MAX_ANSWER * 4 // 3 + 4)]
    wraps: Annotated[list[WrapBody], Field(min_length=1, max_length=MOST_WRAPS)]


class ShareBody(BaseModel):
    """Keys of a case's bundles by their ids, wrapped for a colleague's key, base64."""

    model_config = ConfigDict(extra="forbid", strict=True)
    user: Annotated[str, Field(min_length=1, max_length=64)]
    wraps: Annotated[dict[Uuid, Annotated[str, Field(max_length=108)]], Field(min_length=1, max_length=64)]


@router.get("/words")
def words(relay: Here, user: Reader) -> Json:
    """Return what a browser needs to read any case: the summaries' dictionary, and who signs for the road."""
    key = relay.roster.of(user.id)
    return {
        "mode": relay.settings.sealing,
        "dictionary": _text(DICTIONARY),
        "relay_key": _text(relay.keys.relay.public_key().public_bytes_raw()),
        "now_ms": relay.now_ms(),
        "key": _own(key) if key else None,
    }


@router.put("/key")
def register(body: KeyBody, relay: Here, user: Specialist) -> Json:
    """Keep the caller's new key until a coordinator confirms it."""
    kept = relay.roster.register(user, _raw(body.seal_key), _raw(body.sign_key), _raw(body.wrapped))
    return _own(kept)


@router.get("/keys")
def keys(relay: Here, _user: Coordinator) -> Json:
    """List every specialist's latest key with its fingerprint."""
    return {"keys": [_shape(one) for one in relay.roster.everybody()]}


@router.get("/colleagues")
def colleagues(relay: Here, user: Specialist) -> Json:
    """List the other specialists of the roster, with what a case is wrapped to for them."""
    others = [one for one in relay.roster.current()[0] if one.user != user.id]
    return {"colleagues": [_shape(one) | _public(one) for one in others]}


@router.post("/keys/{user_id}/confirm")
def confirm(user_id: str, body: PrintBody, relay: Here, user: Coordinator) -> Json:
    """Put a key into the roster."""
    return _shape(relay.roster.confirm(user_id, body.fingerprint, user.id))


@router.post("/keys/{user_id}/revoke")
def revoke(user_id: str, relay: Here, user: Coordinator) -> Json:
    """Take a key out of the roster."""
    return _shape(relay.roster.revoke(user_id, user.id))


@router.get("/cases")
def cases(relay: Here, user: Reader) -> Json:
    """List the sealed cases, and which of them the caller's key opens."""
    key = relay.roster.of(user.id)
    return {"cases": [_listed(one, key) for one in relay.sealed.inbox(user)]}


@router.get("/cases/{case_id}")
def case(case_id: str, relay: Here, user: Specialist) -> Json:
    """Hand out one case, sealed as it came."""
    return _case(relay, relay.sealed.open(case_id, user), user)


@router.get("/cases/{case_id}/bundles/{bundle_id}/{oid}")
def part(case_id: str, bundle_id: str, oid: int, relay: Here, user: Specialist) -> Response:
    """Return the ciphertext of one object."""
    data = relay.sealed.object(case_id, bundle_id, oid, user)
    return Response(data, media_type="application/octet-stream")


@router.post("/cases/{case_id}/opened", status_code=204)
def opened(case_id: str, relay: Here, user: Specialist) -> None:
    """The caller's browser has opened the case: the site is told."""
    relay.sealed.opened(case_id, user)


@router.post("/cases/{case_id}/{what}")
def claim(case_id: str, what: Literal["claim", "release"], relay: Here, user: Specialist) -> Json:
    """Take a case to answer, or give it back."""
    return _case(relay, relay.sealed.claim(case_id, user, take=what == "claim"), user)


@router.put("/cases/{case_id}/wraps", status_code=204)
def share(case_id: str, body: ShareBody, relay: Here, user: Specialist) -> None:
    """Keep a case's keys as the caller's browser wrapped them for a colleague who was confirmed later."""
    wraps = {bundle: _raw(wrap) for bundle, wrap in body.wraps.items()}
    relay.sealed.share(case_id, relay.roster.of(user.id), relay.roster.of(body.user), wraps)


@router.put("/cases/{case_id}/answers", status_code=201)
def answer(case_id: str, body: AnswerBody, relay: Here, user: Specialist, token: Token) -> Json:
    """Send what the caller's browser signed and sealed to the site; an opinion needs the second factor."""
    key, data = relay.roster.of(user.id), _raw(body.ciphertext)
    if key is None or key.state != "confirmed":
        raise RefusedError(409, "key_not_confirmed", "Your key is not confirmed: ask a coordinator.")
    wraps = tuple(Wrap(_raw(one.kid), _raw(one.wrap)) for one in body.wraps)
    if not fits(data) or any((len(one.kid), len(one.sealed_key)) != (8, 80) for one in wraps):
        raise RefusedError(422, "malformed", "This is no sealed answer: reload the page.")
    if body.kind == "opinion":
        relay.sign_in.second_look(token, user, body.proof())
    relay.sealed.answer(case_id, user, SealedWords(body.id, body.kind, body.version, data, wraps))
    return {"id": body.id, "version": body.version}


def _listed(one: SealedCase, key: SpecialistKey | None) -> Json:
    return {
        "id": one.id,
        "site": {"code": one.site.code, "name": one.site.name},
        "urgent": one.urgent,
        "simulated": one.simulated,
        "received_ms": one.received_ms,
        "complete_ms": one.complete_ms,
        "answered_ms": one.answered_ms,
        "claimed_by": {"id": one.claimed_by[0], "name": one.claimed_by[1]} if one.claimed_by else None,
        "yours": key is not None and one.for_key(key.kid),
        "kids": [_text(wrap.kid) for wrap in read_manifest(one.manifest).wraps]
        + [_text(name) for name in sorted(one.shared)],
    }


def _case(relay: Relay, one: SealedCase, user: User) -> Json:
    key = relay.roster.of(user.id)
    with relay.database.read() as connection:
        stock = stock_of(connection, one.site.code)
    return _listed(one, key) | {
        "stock": stock,
        "manifest": _text(one.manifest),
        "verify_key": _text(one.site.verify_key),
        "seal_key": _text(one.site.seal_key),
        "objects": [
            {"oid": part.oid, "layer": part.layer, "bytes": part.bytes, "whole": part.whole}
            for part in one.objects
        ],
        "answers": [
            {"id": said.id, "kind": said.kind, "version": said.version, "manifest": _text(said.manifest)}
            for said in relay.sealed.said(one.id)
        ],
        "shared": {
            bundle: _text(wrap)
            for bundle, wrap in (relay.sealed.shared_with(one.id, key.kid) if key else {}).items()
        },
        "next_version": relay.sealed.next_version(one.id),
        "readers": [_text(other.seal_key) for other in relay.roster.current()[0] if one.for_key(other.kid)],
        "author": {"id": user.id, "name": user.name, "specialty": user.specialty},
    }


def _own(key: SpecialistKey) -> Json:
    return _shape(key) | {"wrapped": _text(key.wrapped), "certificate": _text(key.certificate)}


def _public(key: SpecialistKey) -> Json:
    return {
        "seal_key": _text(key.seal_key),
        "sign_key": _text(key.sign_key),
        "certificate": _text(key.certificate),
    }


def _shape(key: SpecialistKey) -> Json:
    return {
        "user": key.user,
        "name": key.name,
        "specialty": key.specialty,
        "state": key.state,
        "fingerprint": key.fingerprint,
        "registered_ms": key.registered_ms,
    }


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _raw(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise RefusedError(422, "malformed", "This is not base64: reload the page.") from None
