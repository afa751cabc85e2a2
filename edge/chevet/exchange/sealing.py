"""Seal a bundle once, open it anywhere: AES-256-GCM per bundle, its key wrapped by HPKE, signed by Ed25519.

Every chunk is encrypted alone, so chunks may come in any order and an object opens as soon as it is whole.
The ciphertext is kept and sent again as it is: no second plaintext ever meets the same nonce.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from chevet.exchange.errors import Refused
from chevet.exchange.keys import kid
from chevet.exchange.manifest import (
    CHUNK,
    CHUNK_PLAIN,
    Manifest,
    ObjectEntry,
    Wrap,
    digest,
    join,
    read_manifest,
    split,
    write_body,
)
from chevet.study.bundle import Bundle, Part, read_part, write_part
from chevet.study.errors import BundleError
from chevet.study.study import EdgeClock

RELAY = "relay"
"""Origin of what the relay seals."""
_KEY_BITS = 256
_CONTEXT = b"chevet manifest 1\0"
_INFO = b"chevet bundle key 1\0"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who can open the bundle: the programme, the site itself, the recovery key."""

    name: str
    key: X25519PublicKey


@dataclass(frozen=True, slots=True)
class SealedObject:
    """The ciphertext of one part."""

    oid: int
    layer: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Sealed:
    """A bundle ready for the spool: signed manifest and ciphertext, to be sent as they are."""

    id: str
    tid: bytes
    manifest: bytes
    objects: tuple[SealedObject, ...]


def seal(
    bundle: Bundle,
    *,
    origin: str,
    seq: int,
    priority: int,
    created: EdgeClock,
    recipients: Sequence[Recipient],
    signer: Ed25519PrivateKey,
    random: Callable[[int], bytes],
    label: str = "",
) -> Sealed:
    """Return the bundle encrypted under a fresh key for all recipients, with its signed manifest.

    Args:
        bundle: what to seal.
        origin: the site's code, or RELAY.
        seq: counts the origin's bundles.
        priority: 0 urgent, 1 routine.
        created: the origin's clock now.
        recipients: at least one.
        signer: the origin's key.
        random: gives that many unpredictable bytes (`os.urandom`, `secrets.token_bytes`).
        label: HTEST for simulated data, visible without opening.

    Raises:
        ValueError: nobody could open it, or there is nothing in it.
    """
    if not recipients or not bundle.parts:
        raise ValueError("a sealed bundle needs a recipient and a part")
    key = random(_KEY_BITS // 8)
    objects = tuple(
        SealedObject(part.oid, part.layer, _encrypt(key, bundle.id, part)) for part in bundle.parts
    )
    manifest = _signed(
        Manifest(
            id=bundle.id,
            kind=bundle.kind,
            case=bundle.case,
            origin=origin,
            seq=seq,
            created=created,
            priority=priority,
            label=label,
            objects=tuple(_entry(item) for item in objects),
            wraps=tuple(_wrap(key, bundle.id, recipient.key) for recipient in recipients),
        ),
        signer,
    )
    return Sealed(bundle.id, digest(manifest)[:8], manifest, objects)


def sign_manifest(manifest: Manifest, signer: Ed25519PrivateKey) -> bytes:
    """Return the manifest of what somebody else sealed, signed by its origin; its digest is not used."""
    return _signed(manifest, signer)


def open_manifest(data: bytes, verify_key: Ed25519PublicKey) -> Manifest:
    """Return what a manifest says, once its signature is found to be the origin's.

    Raises:
        Refused: `malformed` or `bad_signature`.
    """
    manifest = read_manifest(data)
    body, signature = split(data)
    try:
        verify_key.verify(signature, _CONTEXT + body)
    except InvalidSignature:
        raise Refused("bad_signature") from None
    return manifest


def open_object(manifest: Manifest, oid: int, ciphertext: bytes, private_key: X25519PrivateKey) -> Part:
    """Return one part, opened alone.

    Raises:
        Refused: `not_a_recipient`, `bad_hash`, `undecryptable`, or `malformed`.
    """
    return _open(manifest, oid, ciphertext, _unwrap(manifest, private_key))


def open_sealed(manifest: Manifest, objects: Mapping[int, bytes], private_key: X25519PrivateKey) -> Bundle:
    """Return the bundle of all its objects, by oid.

    Raises:
        Refused: `incomplete`, or as `open_object` does.
    """
    if objects.keys() != {item.oid for item in manifest.objects}:
        raise Refused("incomplete")
    key = _unwrap(manifest, private_key)
    parts = tuple(_open(manifest, item.oid, objects[item.oid], key) for item in manifest.objects)
    return Bundle(manifest.id, manifest.kind, manifest.case, parts)


def _signed(manifest: Manifest, signer: Ed25519PrivateKey) -> bytes:
    body = write_body(manifest)
    return join(body, signer.sign(_CONTEXT + body))


def _entry(item: SealedObject) -> ObjectEntry:
    return ObjectEntry(item.oid, item.layer, len(item.data), hashlib.sha256(item.data).digest())


def _suite() -> Suite:
    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)  # RFC 9180, base mode


def _wrap(key: bytes, ident: str, public_key: X25519PublicKey) -> Wrap:
    return Wrap(kid(public_key), _suite().encrypt(key, public_key, _INFO + ident.encode()))


def _unwrap(manifest: Manifest, private_key: X25519PrivateKey) -> bytes:
    name = kid(private_key.public_key())
    for wrap in manifest.wraps:
        if wrap.kid == name:
            try:
                return _suite().decrypt(wrap.sealed_key, private_key, _INFO + manifest.id.encode())
            except (InvalidTag, ValueError):
                raise Refused("undecryptable") from None
    raise Refused("not_a_recipient")


def _nonce(oid: int, seq: int) -> bytes:
    return oid.to_bytes(4, "big") + seq.to_bytes(8, "big")


def _bound(ident: str, oid: int, seq: int, chunks: int) -> bytes:
    """Return what a chunk is tied to: no chunk can stand in for another, nor an object be cut short."""
    return (
        ident.encode() + b"\0" + oid.to_bytes(4, "big") + seq.to_bytes(8, "big") + chunks.to_bytes(8, "big")
    )


def _encrypt(key: bytes, ident: str, part: Part) -> bytes:
    plain = write_part(part)
    cipher = AESGCM(key)
    pieces = [plain[at : at + CHUNK_PLAIN] for at in range(0, len(plain), CHUNK_PLAIN)]
    return b"".join(
        cipher.encrypt(_nonce(part.oid, seq), piece, _bound(ident, part.oid, seq, len(pieces)))
        for seq, piece in enumerate(pieces)
    )


def _open(manifest: Manifest, oid: int, ciphertext: bytes, key: bytes) -> Part:
    if not 0 <= oid < len(manifest.objects):
        raise Refused("malformed")
    entry = manifest.objects[oid]
    if len(ciphertext) != entry.size or hashlib.sha256(ciphertext).digest() != entry.sha256:
        raise Refused("bad_hash")
    try:
        cipher = AESGCM(key)
        plain = b"".join(
            cipher.decrypt(
                _nonce(oid, seq),
                ciphertext[seq * CHUNK : (seq + 1) * CHUNK],
                _bound(manifest.id, oid, seq, entry.chunks),
            )
            for seq in range(entry.chunks)
        )
        return read_part(oid, entry.layer, plain)
    except (InvalidTag, ValueError):
        raise Refused("undecryptable") from None
    except BundleError:
        raise Refused("malformed") from None
