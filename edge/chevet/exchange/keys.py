"""Keys: Ed25519 to sign, X25519 to seal; PEM for private ones, base64 text for public ones."""

import base64
import binascii
import hashlib
from typing import cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from chevet.exchange.errors import BadKey

PrivateKey = Ed25519PrivateKey | X25519PrivateKey
PublicKey = Ed25519PublicKey | X25519PublicKey

KEY_BYTES = 32
KID_BYTES = 8


def new_signing_key() -> Ed25519PrivateKey:
    """Return a fresh key to sign with."""
    return Ed25519PrivateKey.generate()


def new_sealing_key() -> X25519PrivateKey:
    """Return a fresh key to be sealed to."""
    return X25519PrivateKey.generate()


def private_pem(key: PrivateKey, password: bytes | None = None) -> bytes:
    """Return the key as PKCS #8 PEM, encrypted where a password is given."""
    guard: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        guard = serialization.BestAvailableEncryption(password)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, guard)


def signing_key(pem: bytes, password: bytes | None = None) -> Ed25519PrivateKey:
    """Return the Ed25519 key of a PEM file's bytes.

    Raises:
        BadKey: it is damaged, of another kind, or the password is wrong.
    """
    key = _private(pem, password)
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKey("this is not an Ed25519 private key; give the file that init made for signing")
    return key


def sealing_key(pem: bytes, password: bytes | None = None) -> X25519PrivateKey:
    """Return the X25519 key of a PEM file's bytes.

    Raises:
        BadKey: it is damaged, of another kind, or the password is wrong.
    """
    key = _private(pem, password)
    if not isinstance(key, X25519PrivateKey):
        raise BadKey("this is not an X25519 private key; give the file that init made for sealing")
    return key


def raw_public(key: PublicKey) -> bytes:
    """Return the 32 bytes of a public key."""
    return key.public_bytes_raw()


def public_text(key: PublicKey) -> str:
    """Return a public key as 44 characters of base64, for JSON files."""
    return base64.b64encode(raw_public(key)).decode()


def signing_public(text: str | bytes) -> Ed25519PublicKey:
    """Return the Ed25519 public key of base64 text or of 32 raw bytes.

    Raises:
        BadKey: it is neither.
    """
    return Ed25519PublicKey.from_public_bytes(_raw(text))


def sealing_public(text: str | bytes) -> X25519PublicKey:
    """Return the X25519 public key of base64 text or of 32 raw bytes.

    Raises:
        BadKey: it is neither.
    """
    return X25519PublicKey.from_public_bytes(_raw(text))


def kid(key: PublicKey) -> bytes:
    """Return the key's short name: the first 8 bytes of SHA-256 of its 32 bytes."""
    return hashlib.sha256(raw_public(key)).digest()[:KID_BYTES]


def _private(pem: bytes, password: bytes | None) -> object:
    try:
        return cast("object", serialization.load_pem_private_key(pem, password))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadKey("the private key cannot be read; check the file and its password") from None


def _raw(text: str | bytes) -> bytes:
    if isinstance(text, bytes):
        data = text
    else:
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise BadKey("a public key is 44 characters of base64") from None
    if len(data) != KEY_BYTES:
        raise BadKey("a public key is 32 bytes, or 44 characters of base64")
    return data
