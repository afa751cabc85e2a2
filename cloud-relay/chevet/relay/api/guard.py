"""Who may call what: every route names its roles; without a route's word nobody passes."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from fastapi import Depends
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection

from chevet.relay.accounts.roles import ROLES
from chevet.relay.accounts.users import User
from chevet.relay.archive.discussion_rows import is_invited
from chevet.relay.archive.glass import is_broken
from chevet.relay.errors import RefusedError
from chevet.relay.relay import Relay

COOKIE = "chevet_desk"
"""Not the kiosk's name: cookies of one host are shared by all of its ports."""

MAX_CODE = 40
"""Characters of a second factor's code with the spaces and hyphens that people type."""


def relay_of(connection: HTTPConnection) -> Relay:
    """Return the relay that this application serves."""
    relay = connection.app.state.relay
    assert isinstance(relay, Relay)
    return relay


Here = Annotated[Relay, Depends(relay_of)]


def token_of(connection: HTTPConnection) -> str | None:
    """Return the session cookie's value."""
    return connection.cookies.get(COOKIE)


Token = Annotated[str | None, Depends(token_of)]


INVITED = ("coordinator", "expert")
"""Who reads cases by invitation alone."""
OTHERS = ("earlier", "teaching")
"""Ends of addresses that tell of more than the case itself, or are for who takes it further."""


class Allowed:
    """A route's dependency: signed in with one of `roles`, or refused."""

    def __init__(self, *roles: str) -> None:
        self.roles = roles

    def __call__(self, connection: HTTPConnection, relay: Here, token: Token) -> User:
        """Return the caller.

        Raises:
            RefusedError: 401 `not_signed_in`, 403 `not_allowed`.
        """
        user = relay.sign_in.user(token)
        if user is None:
            raise RefusedError(
                401, "not_signed_in", "Sign in first: the session is over or was never opened."
            )
        if user.role not in self.roles and not self._by_exception(connection, relay, user):
            raise RefusedError(
                403, "not_allowed", "Your role does not allow this: ask the programme's coordinator."
            )
        return user

    def _by_exception(self, connection: HTTPConnection, relay: Relay, user: User) -> bool:
        """Say whether somebody reads this one case as a specialist does, by broken glass or by invitation."""
        case_id = connection.path_params.get("case_id", "")
        path = connection.scope["path"]
        reads = connection.scope.get("method") == "GET" and not path.endswith("/export")
        if not (reads and case_id and "specialist" in self.roles):
            return False
        now = relay.now_ms()
        with relay.database.read() as view:
            if user.role == "coordinator" and is_broken(view, case_id, user.id, now):
                return True
            # an invitation opens this case alone: not the patient's other visits
            return (
                user.role in INVITED
                and path.rpartition("/")[2] not in OTHERS
                and is_invited(view, case_id, user.id, now)
            )


OPEN = frozenset(
    {
        ("GET", "/health"),
        ("GET", "/api/status"),
        ("GET", "/api/session"),
        ("POST", "/api/session"),
        ("POST", "/api/session/code"),
        ("POST", "/api/session/password"),
        ("POST", "/api/session/factor"),
        ("POST", "/api/session/factor/confirm"),
        ("POST", "/api/session/passkey/options"),
        ("POST", "/api/session/passkey"),
        ("POST", "/api/oidc"),
        ("GET", "/api/oidc/callback"),
        ("POST", "/api/enrol"),
        ("POST", "/api/kept"),
    }
)
"""What needs no open session: signing in, which asks for itself, and boxes that enrol by their own proofs."""


def require_roles(routes: Iterable[Any]) -> None:
    """Refuse to serve a route that names no roles and is not among OPEN: deny by default.

    Raises:
        RuntimeError: naming the route.
    """
    for method, path, dependant in endpoints(routes):
        if (method, path) not in OPEN and not _names_roles(dependant):
            raise RuntimeError(f"{method} {path} says not who may call it: give it a user with roles.")


def endpoints(routes: Iterable[Any]) -> Iterator[tuple[str, str, Dependant]]:
    """Yield method, path and dependencies of every API route, however deep the framework nests routers."""
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "router", None)
        if isinstance(route, APIRoute):
            yield from ((method, route.path, route.dependant) for method in sorted(route.methods or ()))
        elif inner is not None:
            yield from endpoints(inner.routes)


def _names_roles(dependant: Dependant) -> bool:
    return any(isinstance(one.call, Allowed) or _names_roles(one) for one in dependant.dependencies)


def address_of(connection: HTTPConnection) -> str:
    """Return the caller's address, "" where there is none."""
    return connection.client.host if connection.client else ""


SignedIn = Annotated[User, Depends(Allowed(*ROLES))]
Specialist = Annotated[User, Depends(Allowed("specialist"))]
Reader = Annotated[User, Depends(Allowed("specialist", "coordinator"))]
Overseer = Annotated[User, Depends(Allowed("specialist", "coordinator", "auditor"))]
Discusser = Annotated[User, Depends(Allowed("specialist", "coordinator", "expert"))]
