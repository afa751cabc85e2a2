"""Signing in by passkey, and an account's own passkeys: making, listing, removing."""

import secrets
from collections.abc import Callable

from sqlalchemy import Connection, select

from chevet.relay.accounts import sessions
from chevet.relay.accounts.authenticators import Given, Made
from chevet.relay.accounts.brake import count_try, right
from chevet.relay.accounts.challenges import of_session, of_try
from chevet.relay.accounts.passkeys import Checked, Json, Passkey, Passkeys
from chevet.relay.accounts.proof import SECOND, SIGNING, Proof
from chevet.relay.accounts.sign_in import CODE, Signed, SignIn
from chevet.relay.accounts.users import User, from_row
from chevet.relay.archive.audit import Audit
from chevet.relay.archive.database import Database
from chevet.relay.archive.schema import users
from chevet.relay.errors import RefusedError

ALONE, NEW = "alone", "new"
"""What a passkey is asked for: to sign in without a password, or to be made."""
TRY_BYTES = 32


class PasskeySignIn:
    """What people do with passkeys, on one archive."""

    def __init__(
        self,
        database: Database,
        audit: Audit,
        now_ms: Callable[[], int],
        passkeys: Passkeys,
        sign_in: SignIn,
    ) -> None:
        self._database = database
        self._audit = audit
        self._now_ms = now_ms
        self._passkeys = passkeys
        self._sign_in = sign_in
        self.place = passkeys.place

    def ask(self, address: str = "") -> tuple[str, Json]:
        """Begin to sign in without a password: the try's token for a cookie, and what a browser is asked.

        Raises:
            RefusedError: 429 `too_many_attempts`.
        """
        self._sign_in.begun.count(address, self._now_ms())
        token = secrets.token_urlsafe(TRY_BYTES)
        with self._database.write() as connection:
            return token, self._passkeys.request(connection, of_try(token, ALONE), self._now_ms())

    def sign_in(self, token: str, given: Given, *, address: str = "", browser: str = "") -> Signed:
        """Open a session for whoever's passkey answered; where no app is enrolled yet, that comes first.

        Args:
            token: of the try.
            given: what the passkey answered.
            address: where the caller is.
            browser: a coarse name.

        Raises:
            RefusedError: 401 `wrong_passkey`, 409 `other_address`, 429 `too_many_attempts`.
        """
        now = self._now_ms()
        with self._database.write() as connection:
            whose = self._passkeys.owner(connection, given.credential) or given.credential.hex()
            tried = count_try(connection, "passkey", whose, address, now)
        with self._database.write() as connection:
            found = self._passkeys.check(connection, of_try(token, ALONE), given, now)
            user = _alive(connection, found)
            if user is not None:
                right(connection, tried)
                return self._sign_in.admit(connection, user, browser, "passkey", verified=True, factor=True)
            why = found.why or "disabled"
            self._audit.add(connection, now, "unknown", "session.wrong_passkey", found.user_id, why)
        raise self._sign_in.proofs.refused(why)

    def ask_second(self, token: str | None) -> Json:
        """Ask for a passkey of whoever has given the password.

        Raises:
            RefusedError: 401 `not_signed_in`.
        """
        user, session_id = self._sign_in.lacking(token, CODE)
        with self._database.write() as connection:
            holder = of_session(session_id, SECOND)
            return self._passkeys.request(connection, holder, self._now_ms(), user.id)

    def ask_again(self, token: str | None, user: User) -> Json:
        """Ask for a passkey before something is signed or changed."""
        with self._database.write() as connection:
            holder = of_session(self._session(connection, token), SIGNING)
            return self._passkeys.request(connection, holder, self._now_ms(), user.id)

    def ask_new(self, token: str | None, user: User, proof: Proof, address: str = "") -> Json:
        """Begin to make a passkey, after the second factor.

        Raises:
            RefusedError: as `SignIn.second_look`, and 409 `too_many_passkeys`.
        """
        self._sign_in.second_look(token, user, proof, address)
        with self._database.write() as connection:
            holder = of_session(self._session(connection, token), NEW)
            return self._passkeys.creation(connection, user.id, user.name, holder, self._now_ms())

    def add(self, token: str | None, user: User, name: str, made: Made) -> Passkey:
        """Keep what was made.

        Raises:
            RefusedError: 409 `other_address`, `too_many_passkeys`; 422 `bad_passkey`.
        """
        now = self._now_ms()
        with self._database.write() as connection:
            holder = of_session(self._session(connection, token), NEW)
            found = self._passkeys.add(connection, user.id, holder, made, name, now)
            if isinstance(found, Passkey):
                self._audit.add(connection, now, user.id, "passkey.add", found.id)
                return found
            self._audit.add(connection, now, user.id, "passkey.refused", "", found)
        if found == "origin":
            raise self.place.elsewhere("Passkeys")
        raise RefusedError(422, "bad_passkey", "The passkey was not kept: begin again.")

    def list(self, user: User) -> list[Passkey]:
        """Return the caller's own passkeys."""
        with self._database.read() as connection:
            return self._passkeys.of_user(connection, user.id)

    def remove(self, token: str | None, user: User, passkey: str, proof: Proof, address: str = "") -> None:
        """Remove one of the caller's passkeys, after the second factor; the app and its codes stay.

        Raises:
            RefusedError: as `SignIn.second_look`, and 404 `not_found`.
        """
        self._sign_in.second_look(token, user, proof, address)
        with self._database.write() as connection:
            if not self._passkeys.remove(connection, user.id, passkey):
                raise RefusedError(404, "not_found", "There is no such passkey: it is removed already.")
            self._audit.add(connection, self._now_ms(), user.id, "passkey.remove", passkey)

    def offered(self, token: str | None) -> bool:
        """Say whether whoever holds the session, open or half open, has a passkey to give."""
        with self._database.read() as connection:
            row = sessions.holder(connection, self._sign_in.rules, token, self._now_ms())
            return row is not None and self._passkeys.has(connection, row.id)

    def _session(self, connection: Connection, token: str | None) -> str:
        row = sessions.holder(connection, self._sign_in.rules, token, self._now_ms())
        if row is None:
            raise RefusedError(401, "not_signed_in", "Sign in first: the session is over.")
        return str(row.session_id)


def _alive(connection: Connection, found: Checked) -> User | None:
    """Return who answered rightly and may still sign in."""
    if found.why:
        return None
    row = connection.execute(select(users).where(users.c.id == found.user_id)).first()
    return from_row(row) if row is not None and row.disabled_ms is None else None
