"""Signing in: the password, then the second factor; and a second look before signing."""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, select

from chevet.relay.accounts import sessions
from chevet.relay.accounts.authenticators import Given
from chevet.relay.accounts.brake import Begun, count_try, right
from chevet.relay.accounts.factors import Enrolment, Factors
from chevet.relay.accounts.passwords import MAX_PASSWORD, Passwords
from chevet.relay.accounts.proof import SECOND, SIGNING, Proof, Proofs, Verdict
from chevet.relay.accounts.rules import Rules
from chevet.relay.accounts.sessions import OPEN, SessionLine
from chevet.relay.accounts.users import User, from_row
from chevet.relay.archive.audit import Audit
from chevet.relay.archive.database import Database
from chevet.relay.archive.kept import end_devices
from chevet.relay.archive.schema import Found, users
from chevet.relay.errors import RefusedError

CODE, ENROL, RENEW = "code", "enrol", "password"
"""What a half-open session still lacks: a code, an app to make codes, or a password of its owner's own."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A session: `token` goes into the cookie and is stored nowhere; `stage` is "open" or what is lacking."""

    user: User
    token: str
    stage: str = OPEN


class SignIn:
    """Checks passwords, codes and sessions against one archive."""

    def __init__(
        self,
        database: Database,
        audit: Audit,
        passwords: Passwords,
        now_ms: Callable[[], int],
        factors: Factors,
        proofs: Proofs,
        rules: Rules,
    ) -> None:
        self._database = database
        self._audit = audit
        self._passwords = passwords
        self._now_ms = now_ms
        self._factors = factors
        self.proofs = proofs
        self.rules = rules
        self.begun = Begun()

    def sign_in(self, user_id: str, password: str, *, address: str = "", browser: str = "") -> Signed:
        """Open a session; where a second factor is asked for it is half open until that is given.

        Raises:
            RefusedError: 401 `wrong_password`, 429 `too_many_attempts`.
        """
        row, now = self._checked(user_id, password, address), self._now_ms()
        with self._database.write() as connection:
            stage = self.stage(connection, row.id)
            token = sessions.begin(connection, self.rules, row.id, stage, browser, now)
            self._audit.add(connection, now, row.id, "session.open" if stage == OPEN else "session.password")
        return Signed(from_row(row), token, stage)

    def admit(
        self, connection: Connection, user: User, browser: str, how: str, *, verified: bool, factor: bool
    ) -> Signed:
        """Open a session for somebody who came without a password.

        Args:
            connection: a write transaction.
            user: who it is, alive.
            browser: a coarse name.
            how: "passkey" or "provider".
            verified: whether that was two factors already; an app to fall back on is still enrolled first.
            factor: whether the second of them was the relay's own, which holds for signing a while.
        """
        now, stage = self._now_ms(), self.stage(connection, user.id)
        if verified and stage == CODE:
            stage = OPEN
        given = now if factor and stage == OPEN else None
        token = sessions.begin(connection, self.rules, user.id, stage, browser, now, given)
        what = "session.open" if stage == OPEN else f"session.{how}"
        self._audit.add(connection, now, user.id, what, "", how)
        return Signed(user, token, stage)

    def complete(self, connection: Connection, user: User, token: str, how: str, *, factor: bool) -> Signed:
        """Open a half-open session that lacks nothing any more; `admit` tells what `how` and `factor` are."""
        now = self._now_ms()
        fresh = sessions.complete(connection, self.rules, token, now, now if factor else None)
        self._audit.add(connection, now, user.id, "session.open", "", how)
        return Signed(user, fresh)

    def user(self, token: str | None, *, active: bool = True) -> User | None:
        """Return who holds the open session of `token`, or None when it is over, half open or unknown.

        Args:
            token: of the cookie.
            active: whether this counts as use, which keeps an idle session alive.
        """
        now = self._now_ms()
        with self._database.read() as connection:
            row = sessions.holder(connection, self.rules, token, now)
        if row is None or row.session_stage != OPEN:
            return None
        if active and now - row.session_seen_ms >= sessions.TOUCH_MS:
            with self._database.write() as connection:
                sessions.touch(connection, row.session_id, now)
        return from_row(row)

    def half(self, token: str | None) -> tuple[User, str] | None:
        """Return who gave a password and what is still missing, for a session that is half open."""
        with self._database.read() as connection:
            row = sessions.holder(connection, self.rules, token, self._now_ms())
        return (from_row(row), row.session_stage) if row and row.session_stage != OPEN else None

    def begin_enrolment(self, token: str | None) -> Enrolment:
        """Make the secret of a new authenticator app for a session that lacks one.

        Raises:
            RefusedError: 401 `not_signed_in`.
        """
        user, _ = self.lacking(token, ENROL)
        with self._database.write() as connection:
            now = self._now_ms()
            self._audit.add(connection, now, user.id, "factor.begin")
            return self._factors.begin(connection, user.id, now)

    def confirm_enrolment(self, token: str, code: str, address: str = "") -> tuple[Signed, list[str]]:
        """Take the new app's first code; return the open session and the recovery codes.

        Raises:
            RefusedError: 401 `not_signed_in`, `wrong_code`; 429 `too_many_attempts`.
        """
        user, _ = self.lacking(token, ENROL)
        codes: list[str] = []

        def taken(connection: Connection, now: int) -> Verdict:
            codes.extend(self._factors.confirm(connection, user.id, code, now) or ())
            return Verdict("enrolled" if codes else "")

        self.proofs.judge(user, address, taken)
        with self._database.write() as connection:
            return self.complete(connection, user, token, "enrolled", factor=True), codes

    def give_code(self, token: str, proof: str | Given, address: str = "") -> Signed:
        """Take the second factor: the session is open then, under a new token.

        Args:
            token: of the half-open session.
            proof: a code of the app, a recovery code, or what a passkey answered.
            address: where the caller is.

        Raises:
            RefusedError: 401 `not_signed_in`, `wrong_code`, `wrong_passkey`; 429 `too_many_attempts`.
        """
        user, session_id = self.lacking(token, CODE)
        kind = self.proofs.take(user, proof, session_id, SECOND, address)
        with self._database.write() as connection:
            return self.complete(connection, user, token, kind, factor=True)

    def second_look(self, token: str | None, user: User, proof: Proof, address: str = "") -> None:
        """Ask for the second factor again before something is signed, unless it was given a moment ago.

        Raises:
            RefusedError: 401 `second_factor_needed` where `proof` is None, `wrong_code`, `wrong_passkey`;
                429 `too_many_attempts`.
        """
        if not self.rules.second_factor:
            return
        now = self._now_ms()
        with self._database.read() as connection:
            row = sessions.holder(connection, self.rules, token, now)
        given = row.session_factor_ms if row and row.id == user.id else None
        if row is not None and given is not None and now - given < self.rules.grace_ms:
            return
        if row is None or proof is None:
            raise RefusedError(
                401,
                "second_factor_needed",
                "This needs a passkey or a code of your app.",
                "code",
            )
        self.proofs.take(user, proof, row.session_id, SIGNING, address)
        with self._database.write() as connection:
            sessions.factor_given(connection, row.session_id, now)

    def sign_out(self, token: str | None, user: User) -> None:
        """End the session of `token`."""
        with self._database.write() as connection:
            row = sessions.holder(connection, self.rules, token, self._now_ms())
            if row is not None:
                sessions.end(connection, user.id, row.session_id)
                end_devices(connection, user.id, self._now_ms(), session_id=row.session_id)
            self._audit.add(connection, self._now_ms(), user.id, "session.close")

    def sessions(self, user: User, token: str | None = None) -> list[SessionLine]:
        """Return the user's open sessions, the last used first."""
        with self._database.read() as connection:
            return sessions.of_user(connection, self.rules, user.id, token, self._now_ms())

    def end_session(self, user: User, session_id: str) -> None:
        """End one of the user's own sessions.

        Raises:
            RefusedError: 404 `not_found`.
        """
        with self._database.write() as connection:
            if not sessions.end(connection, user.id, session_id):
                raise RefusedError(404, "not_found", "There is no such session: it is over already.")
            end_devices(connection, user.id, self._now_ms(), session_id=session_id)
            self._audit.add(connection, self._now_ms(), user.id, "session.close", session_id)

    def end_others(self, user: User, token: str | None) -> int:
        """End every session of the user but that of `token`; return how many."""
        with self._database.write() as connection:
            here = sessions.holder(connection, self.rules, token, self._now_ms())
            ended = sessions.end(connection, user.id, keep=token)
            end_devices(connection, user.id, self._now_ms(), but_session=here.session_id if here else "")
            self._audit.add(connection, self._now_ms(), user.id, "session.close_others", "", str(ended))
        return ended

    def signing_key(self, user: User, password: str) -> Ed25519PrivateKey:
        """Unlock the user's signing key; wrong passwords count as at sign-in.

        Raises:
            RefusedError: 401 `wrong_password`, 429 `too_many_attempts`.
        """
        return self.unlocked(user, password)[0]

    def unlocked(self, user: User, password: str) -> tuple[Ed25519PrivateKey, str]:
        """As `signing_key`, with the stored hash that the password was held against."""
        row = self._checked(user.id, password, "")
        key = self._passwords.unlock(row.locked_key, password)
        if key is None:
            raise wrong_password()
        return key, row.password_hash

    def stage(self, connection: Connection, user_id: str) -> str:
        """Return what follows a password: "open", or what is still lacking."""
        if (
            connection.execute(select(users.c.first_until_ms).where(users.c.id == user_id)).scalar()
            is not None
        ):
            return RENEW
        if not self.rules.second_factor:
            return OPEN
        return CODE if self._factors.enrolled(connection, user_id) else ENROL

    def lacking(self, token: str | None, stage: str) -> tuple[User, str]:
        """Return whose half-open session it is and its id, where it lacks `stage`.

        Raises:
            RefusedError: 401 `not_signed_in`.
        """
        with self._database.read() as connection:
            row = sessions.holder(connection, self.rules, token, self._now_ms())
        if row is None or row.session_stage != stage:
            raise RefusedError(401, "not_signed_in", "Sign in with your password first.")
        return from_row(row), row.session_id

    def _checked(self, user_id: str, password: str, address: str) -> Found:
        with self._database.write() as connection:
            tried = count_try(connection, "password", user_id, address, self._now_ms())
            row = connection.execute(select(users).where(users.c.id == user_id)).first()
        alive = row is not None and row.disabled_ms is None
        good = self._passwords.check(row.password_hash if row and alive else None, password[:MAX_PASSWORD])
        with self._database.write() as connection:
            if good:
                right(connection, tried)
            else:
                known = row.id if row else ""
                self._audit.add(connection, self._now_ms(), "unknown", "session.wrong_password", known)
        if not good or row is None:
            raise wrong_password()
        if row.first_until_ms is not None and row.first_until_ms <= self._now_ms():
            sentence = "This first password is over: ask whoever gave it for another one."
            raise RefusedError(401, "first_password_over", sentence, "password")
        return row


def wrong_password() -> RefusedError:
    """Return the refusal of a password, which does not tell whether there is such a user."""
    return RefusedError(
        401,
        "wrong_password",
        "The user or the password is wrong: try again, or ask the operator.",
        "password",
    )
