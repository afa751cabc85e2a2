"""Passwords (argon2id) and signing keys locked under them.

Costs follow RFC 9106 section 4, second recommendation: 64 MiB, 3 passes, 4 lanes.
"""

import os
from dataclasses import dataclass
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SALT_BYTES = 16
NONCE_BYTES = 12
KEY_BYTES = 32
MIN_PASSWORD = 12
"""Characters; a passphrase without composition rules (NIST SP 800-63B section 5.1.1)."""
MAX_PASSWORD = 1024
AT_ONCE = 2
"""Hashes computed at the same time: bounds memory however many people sign in."""
_LOCK_INFO = b"chevet specialist signing key"


@dataclass(frozen=True, slots=True)
class Cost:
    """Argon2id's price: passes, memory in KiB, lanes."""

    passes: int = 3
    memory_kib: int = 65536
    lanes: int = 4


class Passwords:
    """Hashes and checks passwords, locks and unlocks signing keys, all at one cost."""

    def __init__(self, cost: Cost | None = None) -> None:
        self._cost = cost or Cost()
        self._turn = BoundedSemaphore(AT_ONCE)
        self._hasher = PasswordHasher(self._cost.passes, self._cost.memory_kib, self._cost.lanes)

    def hash(self, password: str) -> str:
        """Return the text to store for `password`."""
        return self._hasher.hash(password)

    def check(self, stored: str | None, password: str) -> bool:
        """Say whether `password` is the one; None for an unknown user costs the same time."""
        with self._turn:
            if stored is None:
                self._hasher.hash(password)
                return False
            try:
                return self._hasher.verify(stored, password)
            except (VerificationError, InvalidHashError):
                return False

    def lock(self, key: Ed25519PrivateKey, password: str) -> bytes:
        """Encrypt a private key under `password`: salt, nonce, AES-256-GCM ciphertext."""
        salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
        cipher = AESGCM(self._derive(password, salt))
        return salt + nonce + cipher.encrypt(nonce, key.private_bytes_raw(), _LOCK_INFO)

    def unlock(self, locked: bytes, password: str) -> Ed25519PrivateKey | None:
        """Return the private key, or None where the password is wrong."""
        salt, nonce = locked[:SALT_BYTES], locked[SALT_BYTES : SALT_BYTES + NONCE_BYTES]
        try:
            raw = AESGCM(self._derive(password, salt)).decrypt(
                nonce, locked[SALT_BYTES + NONCE_BYTES :], _LOCK_INFO
            )
        except InvalidTag:
            return None
        return Ed25519PrivateKey.from_private_bytes(raw)

    def _derive(self, password: str, salt: bytes) -> bytes:
        cost = self._cost
        with self._turn:
            return hash_secret_raw(
                password.encode(), salt, cost.passes, cost.memory_kib, cost.lanes, KEY_BYTES, Type.ID
            )
