"""The key of this box's disk: what is written is covered with it, so that a stolen disk tells nothing.

AES-256-GCM throughout (NIST SP 800-38D). Every use has a key of its own, derived by HKDF-SHA-256 from the
box's data key: rows and small files, each journal, the password of the private keys. `place` says where a
value belongs and is authenticated with it: a value that was changed, or moved to another row, does not open.
"""

import base64
import binascii
import secrets
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
TEXT_MARK: Final = "~1"
"""Before covered text: a tilde begins neither JSON nor an argon2 hash."""
FILE_MARK: Final = b"CHVCOV\x00\x01"


class Altered(Exception):  # noqa: N818 - named for what happened
    """A covered value was changed, moved, or covered with another key; attributes tell nothing on purpose."""


class DataKey:
    """The data key of one box, in memory alone.

    Attributes:
        lock: id of the lock file that it belongs to, 32 hexadecimal digits.
        secret: the key itself, to be wrapped for another slot and for nothing else.
    """

    def __init__(
        self, secret: bytes, lock: str, random: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        """Take 32 secret bytes; `random` gives nonces.

        Raises:
            ValueError: the secret has another length.
        """
        if len(secret) != KEY_BYTES:
            raise ValueError(len(secret))
        self.lock = lock
        self.secret = secret
        self._random = random
        # Random nonces stay safe for 2^32 values (SP 800-38D, 8.3): a write a second for 136 years.
        self._rows = AESGCM(derived(secret, "rows and files"))

    @property
    def password(self) -> bytes:
        """The password of the box's private keys, as PEM files take it."""
        return derived(self.secret, "private keys").hex().encode()

    def journal(self, file_id: bytes) -> AESGCM:
        """Return the cipher of one journal; its nonces are counted, since the key is of that file alone."""
        return AESGCM(derived(self.secret, "journal", file_id))

    def cover(self, data: bytes, place: str) -> bytes:
        """Return `data` covered, 28 bytes longer."""
        nonce = self._random(NONCE_BYTES)
        return nonce + self._rows.encrypt(nonce, data, place.encode())

    def uncover(self, data: bytes, place: str) -> bytes:
        """Return what was covered for this place.

        Raises:
            Altered: these are not the bytes that `cover` gave for it.
        """
        try:
            return self._rows.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError):
            raise Altered from None

    def cover_text(self, text: str, place: str) -> str:
        """Return `text` covered, as ASCII text."""
        return TEXT_MARK + base64.b64encode(self.cover(text.encode(), place)).decode()

    def uncover_text(self, text: str, place: str) -> str:
        """Return what was covered for this place.

        Raises:
            Altered: this is not the text that `cover_text` gave for it.
        """
        if not text.startswith(TEXT_MARK):
            raise Altered
        try:
            data = base64.b64decode(text[len(TEXT_MARK) :], validate=True)
        except (binascii.Error, ValueError):
            raise Altered from None
        return self.uncover(data, place).decode()


def derived(secret: bytes, purpose: str, more: bytes = b"") -> bytes:
    """Return a key of 32 bytes for one purpose (RFC 5869); `more` tells several of the same purpose apart."""
    return HKDF(SHA256(), KEY_BYTES, None, b"chevet box " + purpose.encode() + b"\x00" + more).derive(secret)


def cover_file(key: DataKey | None, data: bytes, place: str) -> bytes:
    """Return what to write into a small file: `data` itself where the box has no key."""
    return data if key is None else FILE_MARK + key.cover(data, place)


def uncover_file(key: DataKey | None, data: bytes, place: str) -> bytes:
    """Return what `cover_file` was given.

    Raises:
        Altered: the file was changed, or is not of this key; also when a covered one is read without a key.
    """
    covered = data.startswith(FILE_MARK)
    if covered != (key is not None):
        raise Altered
    return data if key is None else key.uncover(data[len(FILE_MARK) :], place)
