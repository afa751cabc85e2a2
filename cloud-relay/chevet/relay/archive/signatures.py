"""Whether an author signed what a case holds, and whether the programme vouches for the author's key."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from chevet.study.case import Author, Signature, author_bytes


def verified(author: Author, signature: Signature, signed: bytes, relay_key: Ed25519PublicKey) -> bool:
    """Say whether the author's key signed `signed`, and the relay vouches that the key is the author's."""
    try:
        relay_key.verify(signature.certificate, author_bytes(author, signature.public_key))
        Ed25519PublicKey.from_public_bytes(signature.public_key).verify(signature.value, signed)
    except (InvalidSignature, ValueError):
        return False
    return True
