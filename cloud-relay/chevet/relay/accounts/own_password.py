"""A password of one's own: chosen in the place of a first one that somebody gave, and changed later."""

import secrets
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, update

from chevet.relay.accounts import sessions
from chevet.relay.accounts.passwords import Passwords
from chevet.relay.accounts.proof import Proof
from chevet.relay.accounts.sessions import OPEN
from chevet.relay.accounts.sign_in import RENEW, Signed, SignIn, wrong_password
from chevet.relay.accounts.users import User, check_password
from chevet.relay.archive.audit import Audit
from chevet.relay.archive.database import Database
from chevet.relay.archive.schema import users
from chevet.relay.errors import RefusedError, SettingsError

FIRST_MS = 7 * 24 * 3600 * 1000
"""How long a first password waits for its owner."""
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""What nobody takes for another when it is read aloud or from paper: no i, l, o, 0, 1."""
_GROUPS = 5


def first_password() -> str:
    """Return a password to hand over: five groups of four, 99 bits."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(_GROUPS))
    return "-".join(groups)


class OwnPassword:
    """Changes passwords of one archive: the signing key is locked anew under the new one."""

    def __init__(
        self,
        database: Database,
        audit: Audit,
        passwords: Passwords,
        now_ms: Callable[[], int],
        sign_in: SignIn,
    ) -> None:
        self._database = database
        self._audit = audit
        self._passwords = passwords
        self._now_ms = now_ms
        self._sign_in = sign_in

    def renew(self, token: str, old: str, new: str) -> Signed:
        """Take the own password of somebody who came with a first one; the session goes on.

        Args:
            token: of the half-open session.
            old: the first password.
            new: what they chose.

        Raises:
            RefusedError: 401 `not_signed_in`, `wrong_password`, `first_password_over`; 422
                `password_short`, `password_same`; 429 `too_many_attempts`.
        """
        user, _ = self._sign_in.lacking(token, RENEW)
        key, held = self._fit(user, old, new)
        locked = self._locked(key, new)
        with self._database.write() as connection:
            now = self._now_ms()
            self._put(connection, user, held, locked, now)
            stage = self._sign_in.stage(connection, user.id)
            if stage == OPEN:
                return self._sign_in.complete(connection, user, token, "password", factor=False)
            return Signed(user, sessions.go_on(connection, token, stage, now), stage)

    def change(self, token: str | None, user: User, old: str, new: str, proof: Proof) -> None:
        """Change the password of somebody signed in; their other sessions end.

        Raises:
            RefusedError: as `renew`, and 401 `second_factor_needed`, `wrong_code`, `wrong_passkey`.
        """
        key, held = self._fit(user, old, new)
        self._sign_in.second_look(token, user, proof)
        locked = self._locked(key, new)
        with self._database.write() as connection:
            self._put(connection, user, held, locked, self._now_ms())
        self._sign_in.end_others(user, token)

    def _fit(self, user: User, old: str, new: str) -> tuple[Ed25519PrivateKey, str]:
        key, held = self._sign_in.unlocked(user, old)
        if new == old:
            raise RefusedError(422, "password_same", "Choose another password than the one you have.", "new")
        try:
            check_password(new)
        except SettingsError as error:
            raise RefusedError(422, "password_short", str(error), "new") from None
        return key, held

    def _locked(self, key: Ed25519PrivateKey, new: str) -> dict[str, object]:
        """Return the columns of a password; both take time on purpose, so no transaction waits for them."""
        return {
            "password_hash": self._passwords.hash(new),
            "locked_key": self._passwords.lock(key, new),
            "first_until_ms": None,
        }

    def _put(
        self, connection: Connection, user: User, held: str, row: dict[str, object], now_ms: int
    ) -> None:
        """Put a password in the place of the one that was checked; one given meanwhile stays with its key."""
        mine = update(users).where(users.c.id == user.id, users.c.password_hash == held)
        if not connection.execute(mine.values(**row)).rowcount:
            raise wrong_password()
        self._audit.add(connection, now_ms, user.id, "password.change", user.id)
