"""Who may call what: every route names its roles; without a route's word nobody passes."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from chevet.relay.accounts.roles import ROLES
from chevet.relay.accounts.users import User
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


class Allowed:
    """A route's dependency: signed in with one of `roles`, or refused."""

    def __init__(self, *roles: str) -> None:
        self.roles = roles

    def __call__(self, relay: Here, token: Token) -> User:
        """Return the caller.

        Raises:
            RefusedError: 401 `not_signed_in`, 403 `not_allowed`.
        """
        user = relay.sign_in.user(token)
        if user is None:
            raise RefusedError(
                401, "not_signed_in", "Sign in first: the session is over or was never opened."
            )
        if user.role not in self.roles:
            raise RefusedError(
                403, "not_allowed", "Your role does not allow this: ask the programme's coordinator."
            )
        return user


def address_of(connection: HTTPConnection) -> str:
    """Return the caller's address, "" where there is none."""
    return connection.client.host if connection.client else ""


SignedIn = Annotated[User, Depends(Allowed(*ROLES))]
Specialist = Annotated[User, Depends(Allowed("specialist"))]
Reader = Annotated[User, Depends(Allowed("specialist", "coordinator"))]
Overseer = Annotated[User, Depends(Allowed("specialist", "coordinator", "auditor"))]
