"""The programme at the desk: accounts, specialties and what waits for each of them.

An administrator (`site-admin`) makes and changes accounts; a coordinator reads who there is. Auditors are
made at the relay's own command line alone, so that nobody makes who looks over their shoulder.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, Path
from pydantic import Field
from sqlalchemy import select

from chevet.relay.accounts.own_password import FIRST_MS, first_password
from chevet.relay.accounts.roles import ANSWERING, LANGUAGES
from chevet.relay.accounts.users import Listed, User, find
from chevet.relay.api.guard import Allowed, Here, Token
from chevet.relay.api.passkeys import ProofBody
from chevet.relay.archive import duty
from chevet.relay.archive.schema import second_factors
from chevet.relay.errors import RefusedError, SettingsError
from chevet.relay.relay import Relay
from chevet.study.specialties import SPECIALTIES

router = APIRouter(prefix="/api/programme")
Json = dict[str, Any]
Admin = Annotated[User, Depends(Allowed("site-admin"))]
Runs = Annotated[User, Depends(Allowed("site-admin", "coordinator"))]

Ident = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Name = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f]*[^\x00-\x1f\s][^\x00-\x1f]*$")]
"""A line of text that says something; no database takes every control character."""
Specialty = Annotated[str, Field(max_length=40)]
Languages = Annotated[list[Literal["fr", "ar", "zgh", "en"]], Field(min_length=1, max_length=4)]
Whose = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Role = Literal["specialist", "expert", "coordinator", "site-admin"]
KEPT_ELSEWHERE = ("auditor",)
"""Roles that the desk neither gives nor touches."""


class WordsBody(ProofBody):
    """What may be changed of an account."""

    name: Name
    specialty: Specialty = ""
    languages: Languages


class NewPersonBody(WordsBody):
    """A new account."""

    id: Ident
    role: Role


class ActBody(ProofBody):
    """One act on an account."""

    what: Literal["disable", "enable", "sign_out", "forget_factor", "unlock", "give_password"]


@router.get("/people")
def people(relay: Here, user: Runs) -> Json:
    """List the accounts, what one can be, and of each specialty who answers it."""
    with relay.database.read() as connection:
        confirmed = select(second_factors.c.user_id).where(second_factors.c.confirmed_ms.is_not(None))
        ready = set(connection.execute(confirmed).scalars())
        free = duty.people(connection, relay.now_ms())
    return {
        "people": [_person(one, one.user.id in ready) for one in relay.users.list()],
        "specialties": [
            {
                "code": code,
                "people": [one.name for one in free if one.specialty == code],
                "on_call": [one.name for one in free if one.specialty == code and one.on_call],
                "waiting": sum(one.load for one in free if one.specialty == code),
            }
            for code in SPECIALTIES
        ],
        "roles": get_args(Role),
        "answering": ANSWERING,
        "languages": LANGUAGES,
        "may": user.role == "site-admin",
    }


@router.post("/people", status_code=201)
def add_person(body: NewPersonBody, relay: Here, user: Admin, token: Token) -> Json:
    """Make an account; the answer holds its first password, this once."""
    relay.sign_in.second_look(token, user, body.proof())
    who = User(body.id, body.name.strip(), body.role, body.specialty, tuple(body.languages), b"")
    password, until = first_password(), relay.now_ms() + FIRST_MS
    with _refusing():
        relay.users.add(who, password, by=user.id, first_until_ms=until)
    return {"id": body.id, "password": password, "until_ms": until}


@router.put("/people/{user_id}", status_code=204)
def change_person(user_id: Whose, body: WordsBody, relay: Here, user: Admin, token: Token) -> None:
    """Put another name, specialty and languages in the place of an account's."""
    _known(relay, user_id)
    relay.sign_in.second_look(token, user, body.proof())
    with _refusing():
        words = (body.name.strip(), body.specialty, tuple(body.languages))
        relay.users.change(user_id, *words, by=user.id)


@router.post("/people/{user_id}/acts")
def act(user_id: Whose, body: ActBody, relay: Here, user: Admin, token: Token) -> Json:
    """Shut an account out or let it in, end its sessions, or help somebody who cannot sign in any more."""
    _known(relay, user_id)
    if user_id == user.id:
        raise RefusedError(409, "own_account", "Ask another administrator: this is your own account.")
    relay.sign_in.second_look(token, user, body.proof())
    if body.what == "give_password":
        password, until = first_password(), relay.now_ms() + FIRST_MS
        relay.users.give_password(user_id, password, until, by=user.id)
        return {"id": user_id, "password": password, "until_ms": until}
    acts = {
        "disable": relay.users.disable,
        "enable": relay.users.enable,
        "sign_out": relay.users.sign_out,
        "forget_factor": relay.users.forget_factor,
        "unlock": relay.users.unlock,
    }
    acts[body.what](user_id, by=user.id)
    return {"id": user_id}


def _known(relay: Relay, user_id: str) -> None:
    """Refuse an account that the desk does not know or must not touch."""
    with relay.database.read() as connection:
        found = find(connection, user_id)
    if found is None:
        raise RefusedError(404, "not_found", "There is no such account: reload the list.")
    if found.role in KEPT_ELSEWHERE:
        raise RefusedError(409, "kept_elsewhere", "Auditors are kept at the relay's command line.")


CODES = {"id": (409, "id_taken"), "specialty": (422, "specialty_needed")}


@contextmanager
def _refusing() -> Iterator[None]:
    """Answer what the accounts refuse in the API's form."""
    try:
        yield
    except SettingsError as error:
        status, code = CODES.get(error.key, (422, "invalid"))
        raise RefusedError(status, code, "This account cannot be kept so: see `field`.", error.key) from None


def _person(one: Listed, ready: bool) -> Json:
    user = one.user
    return {
        "id": user.id,
        "name": user.name,
        "role": user.role,
        "specialty": user.specialty,
        "languages": list(user.languages),
        "disabled": one.disabled,
        "first_until_ms": one.first_until_ms,
        "factor": ready,
        "fixed": user.role in KEPT_ELSEWHERE,
    }
