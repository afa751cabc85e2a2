"""Accounts of the people who read, answer, allocate and audit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, delete, insert, select, update

from chevet.relay.accounts.brake import let_go
from chevet.relay.accounts.factors import Factors
from chevet.relay.accounts.passkeys import forget
from chevet.relay.accounts.passwords import MAX_PASSWORD, MIN_PASSWORD, Passwords
from chevet.relay.accounts.roles import ANSWERING, LANGUAGES, ROLES
from chevet.relay.archive.audit import Audit
from chevet.relay.archive.database import Database
from chevet.relay.archive.kept import end_devices
from chevet.relay.archive.schema import Found, sessions, users
from chevet.relay.archive.schema_sign_in import provider_links
from chevet.relay.errors import SettingsError
from chevet.study.specialties import SPECIALTIES

OPERATOR = "operator"
"""Who the audit names for what is done at the relay's own command line."""
NOT_PEOPLE = frozenset({OPERATOR, "relay", "rules", "unknown", "nobody"})
"""Who else the audit and its exports name: an account called so would have its acts read as theirs."""


@dataclass(frozen=True, slots=True)
class User:
    """Someone who may sign in. `public_key` is raw Ed25519; `languages` are codes, the preferred first."""

    id: str
    name: str
    role: str
    specialty: str
    languages: tuple[str, ...]
    public_key: bytes


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of `chevet-relay user list`; `first_until_ms` while it waits for its owner's own password."""

    user: User
    disabled: bool
    first_until_ms: int | None = None


class Users:
    """The accounts in one archive."""

    def __init__(
        self,
        database: Database,
        audit: Audit,
        passwords: Passwords,
        now_ms: Callable[[], int],
        factors: Factors,
    ) -> None:
        self._database = database
        self._audit = audit
        self._passwords = passwords
        self._now_ms = now_ms
        self._factors = factors

    def add(
        self, user: User, password: str, *, by: str = OPERATOR, first_until_ms: int | None = None
    ) -> User:
        """Create an account with a new signing key; `user.public_key` is ignored.

        Args:
            user: who it is.
            password: opens the account and the signing key.
            by: who makes it, for the audit.
            first_until_ms: the password was chosen for them: it holds until then, and they choose another.

        Raises:
            SettingsError: the id is taken, or a field cannot be used.
        """
        _check(user, password)
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes_raw()
        now = self._now_ms()
        row = {
            "id": user.id,
            "name": user.name,
            "role": user.role,
            "specialty": user.specialty,
            "languages": ",".join(user.languages),
            "password_hash": self._passwords.hash(password),
            "public_key": public,
            "locked_key": self._passwords.lock(key, password),
            "created_ms": now,
            "first_until_ms": first_until_ms,
        }
        with self._database.write() as connection:
            _check_free(connection, user.id)
            connection.execute(insert(users).values(**row))
            self._audit.add(connection, now, by, "user.add", user.id, user.role)
        return User(user.id, user.name, user.role, user.specialty, user.languages, public)

    def change(
        self, user_id: str, name: str, specialty: str, languages: tuple[str, ...], *, by: str = OPERATOR
    ) -> None:
        """Put another name, specialty and languages in the place of an account's; its role stays.

        Raises:
            SettingsError: there is no such user, or a field cannot be used.
        """
        with self._known(user_id, "user.change", by) as connection:
            known = find(connection, user_id)
            assert known is not None
            _check_words(User(user_id, name, known.role, specialty, languages, b""))
            words = {"name": name, "specialty": specialty, "languages": ",".join(languages)}
            connection.execute(update(users).where(users.c.id == user_id).values(**words))

    def give_password(self, user_id: str, password: str, first_until_ms: int, *, by: str = OPERATOR) -> None:
        """Give somebody who lost theirs a password for one sign-in, and a new signing key under it.

        What they signed stays valid: every signature carries the programme's word on the key of its time.

        Raises:
            SettingsError: there is no such user.
        """
        key = Ed25519PrivateKey.generate()
        row = {
            "password_hash": self._passwords.hash(password),
            "public_key": key.public_key().public_bytes_raw(),
            "locked_key": self._passwords.lock(key, password),
            "first_until_ms": first_until_ms,
        }
        with self._known(user_id, "user.give_password", by) as connection:
            connection.execute(update(users).where(users.c.id == user_id).values(**row))
            let_go(connection, user_id)
            self._end(connection, user_id)

    def enable(self, user_id: str, *, by: str = OPERATOR) -> None:
        """Let an account that was shut out in again.

        Raises:
            SettingsError: there is no such user.
        """
        with self._known(user_id, "user.enable", by) as connection:
            connection.execute(update(users).where(users.c.id == user_id).values(disabled_ms=None))

    def disable(self, user_id: str, *, by: str = OPERATOR) -> None:
        """Shut an account out now: no sign-in, every session ended; its signatures stay valid.

        Raises:
            SettingsError: there is no such user.
        """
        with self._known(user_id, "user.disable", by) as connection:
            done = update(users).where(users.c.id == user_id).values(disabled_ms=self._now_ms())
            connection.execute(done)
            self._end(connection, user_id)

    def forget_factor(self, user_id: str, *, by: str = OPERATOR) -> None:
        """Take a lost authenticator app and every passkey away: the next sign-in enrols a new app.

        Raises:
            SettingsError: there is no such user.
        """
        with self._known(user_id, "user.forget_factor", by) as connection:
            self._factors.forget(connection, user_id)
            forget(connection, user_id)
            self._end(connection, user_id)

    def forget_provider(self, user_id: str) -> None:
        """Forget who an account is at the identity provider: the next sign-in by it links anew.

        Raises:
            SettingsError: there is no such user.
        """
        with self._known(user_id, "user.forget_provider") as connection:
            connection.execute(delete(provider_links).where(provider_links.c.user_id == user_id))
            self._end(connection, user_id)

    def unlock(self, user_id: str, *, by: str = OPERATOR) -> None:
        """End the pause after wrong passwords and codes.

        Raises:
            SettingsError: there is no such user.
        """
        with self._known(user_id, "user.unlock", by) as connection:
            let_go(connection, user_id)

    def sign_out(self, user_id: str, *, by: str = OPERATOR) -> int:
        """End every session of an account; return how many.

        Raises:
            SettingsError: there is no such user.
        """
        with self._known(user_id, "user.sign_out", by) as connection:
            return self._end(connection, user_id)

    def _end(self, connection: Connection, user_id: str) -> int:
        """End every session and kept copy of an account; return how many sessions."""
        end_devices(connection, user_id, self._now_ms())
        return connection.execute(delete(sessions).where(sessions.c.user_id == user_id)).rowcount

    @contextmanager
    def _known(self, user_id: str, what: str, by: str = OPERATOR) -> Iterator[Connection]:
        """Give a write transaction about an account that exists; it is in the audit."""
        with self._database.write() as connection:
            if find(connection, user_id) is None:
                raise _nobody(user_id)
            self._audit.add(connection, self._now_ms(), by, what, user_id)
            yield connection

    def list(self) -> list[Listed]:
        """Return every account, by id."""
        with self._database.read() as connection:
            rows = connection.execute(select(users).order_by(users.c.id)).all()
        return [Listed(from_row(row), row.disabled_ms is not None, row.first_until_ms) for row in rows]


def find(connection: Connection, user_id: str) -> User | None:
    """Return the user of that id, disabled or not."""
    row = connection.execute(select(users).where(users.c.id == user_id)).first()
    return from_row(row) if row else None


def from_row(row: Found) -> User:
    """Read a row of the user table."""
    languages = tuple(row.languages.split(",")) if row.languages else ()
    return User(row.id, row.name, row.role, row.specialty, languages, row.public_key)


def _nobody(user_id: str) -> SettingsError:
    return SettingsError("id", f"There is no user '{user_id}': see `chevet-relay user list`.")


def _check_free(connection: Connection, user_id: str) -> None:
    """Refuse an id that somebody has, whatever its capitals: in the audit nobody is taken for another."""
    same = user_id.casefold()
    taken = next(
        (one for one in connection.execute(select(users.c.id)).scalars() if one.casefold() == same), ""
    )
    if taken:
        raise SettingsError("id", f"The user '{taken}' exists already: choose another --id.")


def check_password(password: str) -> None:
    """Refuse a password that is too short to open anything.

    Raises:
        SettingsError: it is.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise SettingsError("password", f"The password must have at least {MIN_PASSWORD} characters.")


def _check(user: User, password: str) -> None:
    if (
        not user.id
        or len(user.id) > 64
        or not user.id.replace("-", "").replace("_", "").replace(".", "").isalnum()
    ):
        raise SettingsError("id", "--id must be letters, digits, '.', '-' and '_' only, at most 64.")
    if user.id.casefold() in NOT_PEOPLE:
        raise SettingsError("id", f"The audit calls something else '{user.id}': choose another --id.")
    _check_words(user)
    check_password(password)


def _check_words(user: User) -> None:
    if not user.name.strip():
        raise SettingsError("name", "--name must not be empty: workers see it beside every opinion.")
    if user.role not in ROLES:
        raise SettingsError("role", f"--role must be one of {', '.join(ROLES)}.")
    if user.specialty not in ("", *SPECIALTIES) or (user.role == "specialist" and not user.specialty):
        raise SettingsError("specialty", f"--specialty must be one of {', '.join(SPECIALTIES)}.")
    if user.specialty and user.role not in ANSWERING:
        raise SettingsError("role", f"The role {user.role} has no specialty: leave --specialty out.")
    if not user.languages or any(language not in LANGUAGES for language in user.languages):
        raise SettingsError("language", f"--language must be one of {', '.join(LANGUAGES)}.")
