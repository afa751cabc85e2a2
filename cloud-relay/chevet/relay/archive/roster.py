"""Whose browsers may open sealed cases: specialists' keys, confirmed by a person, numbered as a roster.

A key is made in the specialist's browser; the relay keeps the public halves, and the private ones wrapped
under a passphrase it never sees. It enters the roster when a coordinator, told the fingerprint by the
specialist by voice, finds the same one here. Boxes get the roster with their grant and never go back.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Select, func, insert, select, update

from chevet.exchange.errors import BadKey
from chevet.exchange.keys import KID_BYTES, sealing_public, signing_public
from chevet.relay.accounts.users import User
from chevet.relay.archive.audit import Audit
from chevet.relay.archive.database import Database
from chevet.relay.archive.schema import Found, specialist_keys, users
from chevet.relay.errors import RefusedError
from chevet.study.case import Author, author_bytes

WAITING, CONFIRMED, REVOKED = "waiting", "confirmed", "revoked"
MAX_WRAPPED = 2048
"""Bytes of both private halves under the passphrase; they take about 240."""
_PRINT = b"chevet specialist print 1\0"
_PRINT_BYTES = 12


@dataclass(frozen=True, slots=True)
class SpecialistKey:
    """One specialist's pair of keys: X25519 to open, Ed25519 to sign, public halves raw.

    Attributes:
        state: WAITING for a coordinator, CONFIRMED, or REVOKED.
        certificate: the programme's word that `sign_key` is the specialist's; empty until confirmed.
    """

    number: int
    user: str
    name: str
    specialty: str
    seal_key: bytes
    sign_key: bytes
    wrapped: bytes
    state: str
    registered_ms: int
    certificate: bytes

    @property
    def kid(self) -> bytes:
        """Return the sealing key's short name, as manifests have it."""
        return hashlib.sha256(self.seal_key).digest()[:KID_BYTES]

    @property
    def fingerprint(self) -> str:
        """Return what two people read to each other: six groups of four hexadecimal digits."""
        digest = hashlib.sha256(_PRINT + self.seal_key + self.sign_key).hexdigest()[: 2 * _PRINT_BYTES]
        return " ".join(digest[at : at + 4] for at in range(0, len(digest), 4))


class Roster:
    """The specialists' keys in one archive."""

    def __init__(
        self, database: Database, audit: Audit, signer: Ed25519PrivateKey, now_ms: Callable[[], int]
    ) -> None:
        self._database = database
        self._audit = audit
        self._signer = signer
        self._now_ms = now_ms

    def register(self, user: User, seal_key: bytes, sign_key: bytes, wrapped: bytes) -> SpecialistKey:
        """Keep a specialist's new key until it is confirmed; an unconfirmed earlier one gives way.

        Raises:
            RefusedError: 422 `malformed`, 409 `key_confirmed` while another is in the roster.
        """
        _checked(seal_key, sign_key, wrapped)
        now = self._now_ms()
        with self._database.write() as connection:
            held = _of(connection, user.id)
            if held is not None and held.state == CONFIRMED:
                raise RefusedError(
                    409, "key_confirmed", "You have a confirmed key: ask a coordinator to revoke it first."
                )
            if held is not None and held.state == WAITING:
                _revoke(connection, held.number, now)
            connection.execute(
                insert(specialist_keys).values(
                    user_id=user.id,
                    seal_key=seal_key,
                    sign_key=sign_key,
                    wrapped=wrapped,
                    registered_ms=now,
                    confirmed_by="",
                )
            )
            self._audit.add(connection, now, user.id, "key.register", user.id)
            found = _of(connection, user.id)
        assert found is not None, "it was just put there"
        return found

    def of(self, user_id: str) -> SpecialistKey | None:
        """Return a specialist's latest key, revoked or not."""
        with self._database.read() as connection:
            return _of(connection, user_id)

    def everybody(self) -> list[SpecialistKey]:
        """Return the latest key of every specialist, by user."""
        with self._database.read() as connection:
            rows = connection.execute(_query().order_by(specialist_keys.c.number)).all()
        latest = {row.user_id: _read(row) for row in rows}
        return [latest[user] for user in sorted(latest)]

    def confirm(self, user_id: str, fingerprint: str, who: str) -> SpecialistKey:
        """Put a key into the roster; `fingerprint` is what the specialist read to whoever confirms.

        Raises:
            RefusedError: 404 `not_found`, 409 `not_waiting`, 409 `other_fingerprint`, 403 `own_key`.
        """
        if who == user_id:
            raise RefusedError(403, "own_key", "Nobody confirms their own key: ask another coordinator.")
        with self._database.write() as connection:
            held = _known(connection, user_id)
            if held.state != WAITING:
                raise RefusedError(409, "not_waiting", "This key does not wait for anybody: reload the list.")
            if "".join(fingerprint.lower().split()) != held.fingerprint.replace(" ", ""):
                raise RefusedError(
                    409,
                    "other_fingerprint",
                    "The fingerprint is another one: do not confirm; have the key made anew.",
                )
            author = Author(held.user, held.name, held.specialty)
            certificate = self._signer.sign(author_bytes(author, held.sign_key))
            now = self._now_ms()
            connection.execute(
                update(specialist_keys)
                .where(specialist_keys.c.number == held.number)
                .values(confirmed_ms=now, confirmed_by=who, certificate=certificate)
            )
            self._audit.add(connection, now, who, "key.confirm", user_id, held.fingerprint)
            return _known(connection, user_id)

    def revoke(self, user_id: str, who: str) -> SpecialistKey:
        """Take a key out of the roster: what is sealed from the boxes' next grant on leaves it out.

        Raises:
            RefusedError: 404 `not_found`.
        """
        with self._database.write() as connection:
            held = _known(connection, user_id)
            if held.state != REVOKED:
                now = self._now_ms()
                _revoke(connection, held.number, now)
                self._audit.add(connection, now, who, "key.revoke", user_id, held.fingerprint)
            return _known(connection, user_id)

    def current(self) -> tuple[list[SpecialistKey], int]:
        """Return the confirmed keys of accounts that are open, and the roster's number, which only grows."""
        keys = specialist_keys.c
        with self._database.read() as connection:
            rows = connection.execute(
                _query()
                .where(
                    keys.confirmed_ms.is_not(None), keys.revoked_ms.is_(None), users.c.disabled_ms.is_(None)
                )
                .order_by(keys.number)
            ).all()
            joined, left = connection.execute(
                select(
                    func.count(keys.confirmed_ms),
                    func.count(func.coalesce(keys.revoked_ms, users.c.disabled_ms)),
                )
                .join(users, users.c.id == keys.user_id)
                .where(keys.confirmed_ms.is_not(None))
            ).one()
        return [_read(row) for row in rows], int(joined) + int(left)


def _checked(seal_key: bytes, sign_key: bytes, wrapped: bytes) -> None:
    try:
        sealing_public(seal_key), signing_public(sign_key)
    except (BadKey, ValueError):
        raise RefusedError(422, "malformed", "These are no keys: reload, make them anew.") from None
    if not 0 < len(wrapped) <= MAX_WRAPPED:
        raise RefusedError(422, "malformed", "The wrapped key is missing or too large: make it anew.")


def _query() -> Select[Any]:
    return select(specialist_keys, users.c.name, users.c.specialty).join(
        users, users.c.id == specialist_keys.c.user_id
    )


def _of(connection: Connection, user_id: str) -> SpecialistKey | None:
    newest = _query().where(specialist_keys.c.user_id == user_id).order_by(specialist_keys.c.number.desc())
    row = connection.execute(newest.limit(1)).first()
    return _read(row) if row else None


def _known(connection: Connection, user_id: str) -> SpecialistKey:
    found = _of(connection, user_id)
    if found is None:
        raise RefusedError(404, "not_found", "This user has made no key yet: they do so at their desk.")
    return found


def _revoke(connection: Connection, number: int, now: int) -> None:
    connection.execute(
        update(specialist_keys).where(specialist_keys.c.number == number).values(revoked_ms=now)
    )


def _read(row: Found) -> SpecialistKey:
    state = REVOKED if row.revoked_ms else CONFIRMED if row.confirmed_ms else WAITING
    return SpecialistKey(
        number=row.number,
        user=row.user_id,
        name=row.name,
        specialty=row.specialty,
        seal_key=row.seal_key,
        sign_key=row.sign_key,
        wrapped=row.wrapped,
        state=state,
        registered_ms=row.registered_ms,
        certificate=row.certificate or b"",
    )
