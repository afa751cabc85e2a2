"""Second factors: an authenticator app per account, and recovery codes for the day the phone is lost.

App secrets are sealed under a key that stays out of the archive, so a stolen database makes no codes.
Recovery codes are kept as keyed hashes; each opens once.
"""

import base64
import hmac
import os
import secrets
import unicodedata
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, delete, func, insert, select, update

from chevet.relay.accounts.totp import SECRET_BYTES, matching_step, secret_text, uri
from chevet.relay.archive.schema import Found, recovery_codes, second_factors

RECOVERY_CODES = 10
RECOVERY_BYTES = 10
"""80 bits: 16 letters of base32, in four groups."""
NONCE_BYTES = 12
_PURPOSE = b"chevet second factors"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the enrolment screen shows once: the secret as text, and the URI of its QR."""

    secret: str
    uri: str


class Factors:
    """The second factors in one archive; every call stands in the caller's write transaction."""

    def __init__(self, root: bytes, programme: str) -> None:
        """Derive the sealing key.

        Args:
            root: 32 secret bytes that are not in the archive.
            programme: its name, shown in the app.
        """
        self._key = HKDF(SHA256(), 32, None, _PURPOSE).derive(root)
        self._programme = programme

    def enrolled(self, connection: Connection, user_id: str) -> bool:
        """Say whether the account has a confirmed app."""
        row = _row(connection, user_id)
        return row is not None and row.confirmed_ms is not None

    def begin(self, connection: Connection, user_id: str, now_ms: int) -> Enrolment:
        """Make a new secret for an account that has no confirmed app."""
        secret, nonce = secrets.token_bytes(SECRET_BYTES), os.urandom(NONCE_BYTES)
        sealed = nonce + AESGCM(self._key).encrypt(nonce, secret, user_id.encode())
        connection.execute(delete(second_factors).where(second_factors.c.user_id == user_id))
        connection.execute(
            insert(second_factors).values(user_id=user_id, secret=sealed, created_ms=now_ms, last_step=0)
        )
        return Enrolment(secret_text(secret), uri(secret, self._programme, user_id))

    def confirm(self, connection: Connection, user_id: str, code: str, now_ms: int) -> list[str] | None:
        """Take the first code of a new app; return the recovery codes, shown this once, or None."""
        if not self._app_code(connection, user_id, code, now_ms):
            return None
        connection.execute(
            update(second_factors).where(second_factors.c.user_id == user_id).values(confirmed_ms=now_ms)
        )
        connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
        codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
        rows = [{"code_hash": self._hash(user_id, code), "user_id": user_id} for code in codes]
        connection.execute(insert(recovery_codes), rows)
        return codes

    def check(self, connection: Connection, user_id: str, code: str, now_ms: int) -> str:
        """Take a code: "app" or "recovery" says which it was, "" that it is wrong or was used before."""
        text = _plain(code)
        if text.isdecimal():
            row = _row(connection, user_id)
            good = row is not None and row.confirmed_ms is not None
            return "app" if good and self._app_code(connection, user_id, text, now_ms) else ""
        used = update(recovery_codes).where(
            recovery_codes.c.code_hash == self._hash(user_id, text), recovery_codes.c.used_ms.is_(None)
        )
        return "recovery" if connection.execute(used.values(used_ms=now_ms)).rowcount else ""

    def recovery_left(self, connection: Connection, user_id: str) -> int:
        """Return how many recovery codes are unused."""
        query = (
            select(func.count())
            .select_from(recovery_codes)
            .where(recovery_codes.c.user_id == user_id, recovery_codes.c.used_ms.is_(None))
        )
        return connection.execute(query).scalar_one()

    def forget(self, connection: Connection, user_id: str) -> None:
        """Take app and recovery codes away: the next sign-in enrols anew."""
        for table in (second_factors, recovery_codes):
            connection.execute(delete(table).where(table.c.user_id == user_id))

    def _app_code(self, connection: Connection, user_id: str, code: str, now_ms: int) -> bool:
        row = _row(connection, user_id)
        if row is None:
            return False
        nonce, sealed = row.secret[:NONCE_BYTES], row.secret[NONCE_BYTES:]
        secret = AESGCM(self._key).decrypt(nonce, sealed, user_id.encode())
        step = matching_step(secret, _plain(code), now_ms, row.last_step)
        if step is None:
            return False
        connection.execute(
            update(second_factors).where(second_factors.c.user_id == user_id).values(last_step=step)
        )
        return True

    def _hash(self, user_id: str, code: str) -> str:
        return hmac.new(self._key, f"{user_id} {_plain(code)}".encode(), "sha256").hexdigest()


def _row(connection: Connection, user_id: str) -> Found | None:
    return connection.execute(select(second_factors).where(second_factors.c.user_id == user_id)).first()


def _plain(code: str) -> str:
    """Return a code without the spaces and hyphens people type, its digits those of any keyboard."""
    digits = (str(unicodedata.decimal(one, one)) for one in code if not one.isspace() and one != "-")
    return "".join(digits).upper()


def _recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode("ascii")
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))
