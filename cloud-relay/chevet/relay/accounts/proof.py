"""The second factor as it is given: a code of the app, a recovery code, or a passkey; wrong ones count."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import Connection

from chevet.relay.accounts.authenticators import Given
from chevet.relay.accounts.brake import count_try, right
from chevet.relay.accounts.challenges import of_session
from chevet.relay.accounts.factors import Factors
from chevet.relay.accounts.passkeys import Passkeys
from chevet.relay.accounts.users import User
from chevet.relay.archive.audit import Audit
from chevet.relay.archive.database import Database
from chevet.relay.errors import RefusedError

Proof: TypeAlias = str | Given | None
"""A code as it was typed, what a passkey answered, or nothing yet."""
SECOND, SIGNING = "second", "signing"
"""What a passkey is asked for in a session: to open it, or to look again before something is signed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a proof was: `how` is "app", "recovery", "passkey" or "enrolled", "" where it is refused."""

    how: str
    why: str = ""
    subject: str = ""


class Proofs:
    """Takes proofs of one archive's accounts, with the brake on guessing and the audit."""

    def __init__(
        self,
        database: Database,
        audit: Audit,
        now_ms: Callable[[], int],
        factors: Factors,
        passkeys: Passkeys,
    ) -> None:
        self._database = database
        self._audit = audit
        self._now_ms = now_ms
        self._factors = factors
        self._passkeys = passkeys

    def take(self, user: User, proof: str | Given, session_id: str, purpose: str, address: str) -> str:
        """Take a proof for a session, and say what it was.

        Raises:
            RefusedError: 401 `wrong_code`, `wrong_passkey`; 409 `other_address`; 429 `too_many_attempts`.
        """
        if isinstance(proof, str):
            return self.judge(user, address, lambda c, now: self._code(c, user, proof, now))
        holder = of_session(session_id, purpose)
        return self.judge(user, address, lambda c, now: self._passkey(c, user, holder, proof, now))

    def judge(self, user: User, address: str, taken: Callable[[Connection, int], Verdict]) -> str:
        """Count a try, take what is given, and say what it was; the count outlives a refusal.

        Raises:
            RefusedError: as `take` tells.
        """
        now = self._now_ms()
        with self._database.write() as connection:
            tried = count_try(connection, "code", user.id, address, now)
        with self._database.write() as connection:
            found = taken(connection, now)
            if found.how:
                right(connection, tried)
                if found.how != "app":
                    self._audit.add(connection, now, user.id, f"factor.{found.how}", found.subject)
            else:
                what = "session.wrong_passkey" if found.why else "session.wrong_code"
                self._audit.add(connection, now, user.id, what, found.subject, found.why)
        if not found.how:
            raise self.refused(found.why)
        return found.how

    def refused(self, why: str) -> RefusedError:
        """Return the refusal of a proof: `why` of `Passkeys.check`, "" for a code."""
        if why == "origin":
            return self._passkeys.place.elsewhere("Passkeys")
        if why:
            return RefusedError(
                401,
                "wrong_passkey",
                "This passkey was not taken: try again, or give a code of the app.",
                "code",
            )
        return RefusedError(
            401,
            "wrong_code",
            "The code is wrong, too old or used before: wait for the app's next code.",
            "code",
        )

    def _code(self, connection: Connection, user: User, code: str, now: int) -> Verdict:
        return Verdict(self._factors.check(connection, user.id, code, now))

    def _passkey(self, connection: Connection, user: User, holder: str, given: Given, now: int) -> Verdict:
        found = self._passkeys.check(connection, holder, given, now, user.id)
        return Verdict("", found.why, found.passkey) if found.why else Verdict("passkey", "", found.passkey)
