"""Passkeys (Web Authentication, level 3): public keys of authenticators that unlock by PIN, finger or face.

Every passkey is made to be found without a user name and with the person verified, so that each serves for
signing in alone, as second factor and before signing. The relay keeps public keys only. What an authenticator
says of its make (attestation) is not asked for: a programme lets people use the phone they have.
"""

import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from webauthn import generate_authentication_options, generate_registration_options
from webauthn.helpers import options_to_json_dict
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from chevet.relay.accounts.authenticators import Given, Made, asked, counted, new_key
from chevet.relay.accounts.challenges import LIFE_MS, ask, take
from chevet.relay.accounts.place import Place
from chevet.relay.archive.schema import Found
from chevet.relay.archive.schema_sign_in import passkeys
from chevet.relay.errors import RefusedError

MOST = 10
"""Passkeys of one account: every device somebody reads on, with room for a spare key in a drawer."""
ID_BYTES = 8
MAX_NAME = 60
VERIFIED = UserVerificationRequirement.REQUIRED
TRANSPORTS = frozenset(one.value for one in AuthenticatorTransport)
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Passkey:
    """One passkey as its owner sees it; times in Unix ms."""

    id: str
    name: str
    created_ms: int
    used_ms: int | None


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of an answer: `why` is "" where it holds, and then `user_id` is whose passkey it was."""

    why: str
    user_id: str = ""
    passkey: str = ""


class Passkeys:
    """The passkeys in one archive; every call stands in the caller's write transaction.

    Attributes:
        place: where the desk is opened, which browsers bind every passkey to.
    """

    def __init__(self, root: bytes, programme: str, place: Place) -> None:
        """Keep what passkeys are bound to.

        Args:
            root: 32 secret bytes that are not in the archive.
            programme: its name, as authenticators show it.
            place: the desk's address.
        """
        self._root = root
        self._programme = programme
        self.place = place

    def creation(self, connection: Connection, user_id: str, person: str, holder: str, now_ms: int) -> Json:
        """Return what a browser is asked for a new passkey of an account.

        Raises:
            RefusedError: 409 `too_many_passkeys`.
        """
        mine = _rows(connection, user_id)
        if len(mine) >= MOST:
            raise _too_many()
        options = generate_registration_options(
            rp_id=self.place.host,
            rp_name=self._programme,
            user_id=self._handle(user_id),
            user_name=user_id,
            user_display_name=person,
            challenge=ask(connection, holder, now_ms),
            timeout=LIFE_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=VERIFIED
            ),
            exclude_credentials=[_described(row) for row in mine],
        )
        return options_to_json_dict(options)

    def request(self, connection: Connection, holder: str, now_ms: int, user_id: str | None = None) -> Json:
        """Return what a browser is asked to prove: by a passkey of one account, or of whoever sits there."""
        allowed = [_described(row) for row in _rows(connection, user_id)] if user_id else []
        options = generate_authentication_options(
            rp_id=self.place.host,
            challenge=ask(connection, holder, now_ms),
            timeout=LIFE_MS,
            allow_credentials=allowed,
            user_verification=VERIFIED,
        )
        return options_to_json_dict(options)

    def add(
        self, connection: Connection, user_id: str, holder: str, made: Made, name: str, now_ms: int
    ) -> Passkey | str:
        """Keep a new passkey and return it, or why it is refused: "challenge", "origin" or "answer".

        Raises:
            RefusedError: 409 `too_many_passkeys`.
        """
        challenge = take(connection, holder, now_ms)
        why = asked(self.place, made.client_data, challenge)
        if why or challenge is None:
            return why
        key = new_key(self.place, made, challenge)
        if key is None or _by_credential(connection, made.credential) is not None:
            return "answer"
        if len(_rows(connection, user_id)) >= MOST:
            raise _too_many()
        kept = Passkey(secrets.token_hex(ID_BYTES), name, now_ms, None)
        connection.execute(
            insert(passkeys).values(
                id=kept.id,
                user_id=user_id,
                credential=made.credential,
                public_key=key.public_key,
                counter=key.counter,
                name=name,
                transports=",".join(one for one in made.transports if one in TRANSPORTS),
                created_ms=now_ms,
            )
        )
        return kept

    def check(
        self, connection: Connection, holder: str, given: Given, now_ms: int, user_id: str | None = None
    ) -> Checked:
        """Take the answer of a passkey; the challenge is used up whatever comes of it.

        Args:
            connection: a write transaction.
            holder: of whom it was asked.
            given: the answer.
            now_ms: Unix ms.
            user_id: whose passkey it must be, None for anybody's.

        Returns:
            `why`: "" where it holds, else "challenge", "origin", "unknown", "answer" or "counter".
        """
        challenge = take(connection, holder, now_ms)
        row = _by_credential(connection, given.credential)
        owner = row.user_id if row is not None else ""
        why = asked(self.place, given.client_data, challenge)
        if not why and (row is None or user_id not in (None, owner) or not self._same(given.handle, owner)):
            why = "unknown"
        if why or row is None or challenge is None:
            return Checked(why, owner)
        count = counted(self.place, given, challenge, row.public_key)
        if count is None:
            return Checked("answer", owner)
        if count <= row.counter and (count or row.counter):  # 0 and 0: it does not count
            return Checked("counter", owner, row.id)
        mine = update(passkeys).where(passkeys.c.id == row.id)
        connection.execute(mine.values(counter=count, used_ms=now_ms))
        return Checked("", owner, row.id)

    def of_user(self, connection: Connection, user_id: str) -> list[Passkey]:
        """Return an account's passkeys, the oldest first."""
        return [Passkey(row.id, row.name, row.created_ms, row.used_ms) for row in _rows(connection, user_id)]

    def has(self, connection: Connection, user_id: str) -> bool:
        """Say whether an account has a passkey that works at this address."""
        query = select(func.count()).select_from(passkeys).where(passkeys.c.user_id == user_id)
        return self.place.passkeys and connection.execute(query).scalar_one() > 0

    def owner(self, connection: Connection, credential: bytes) -> str | None:
        """Return whose passkey a credential is."""
        row = _by_credential(connection, credential)
        return None if row is None else row.user_id

    def remove(self, connection: Connection, user_id: str, passkey: str) -> bool:
        """Forget one passkey of an account; say whether there was one."""
        gone = delete(passkeys).where(passkeys.c.user_id == user_id, passkeys.c.id == passkey)
        return connection.execute(gone).rowcount > 0

    def _handle(self, user_id: str) -> bytes:
        """Return what authenticators know an account by: nobody reads a name from it."""
        return hmac.digest(self._root, b"chevet passkey account 1\0" + user_id.encode(), "sha256")

    def _same(self, handle: bytes, user_id: str) -> bool:
        return not handle or hmac.compare_digest(handle, self._handle(user_id))


def forget(connection: Connection, user_id: str) -> None:
    """Take every passkey of an account away."""
    connection.execute(delete(passkeys).where(passkeys.c.user_id == user_id))


def _rows(connection: Connection, user_id: str) -> list[Found]:
    query = select(passkeys).where(passkeys.c.user_id == user_id)
    return list(connection.execute(query.order_by(passkeys.c.created_ms, passkeys.c.id)))


def _by_credential(connection: Connection, credential: bytes) -> Found | None:
    return connection.execute(select(passkeys).where(passkeys.c.credential == credential)).first()


def _described(row: Found) -> PublicKeyCredentialDescriptor:
    ways = [AuthenticatorTransport(one) for one in row.transports.split(",") if one]
    return PublicKeyCredentialDescriptor(row.credential, transports=ways or None)


def _too_many() -> RefusedError:
    return RefusedError(409, "too_many_passkeys", f"Remove a passkey first: {MOST} are the most.")
