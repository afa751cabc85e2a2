"""Frames sealed for the programme: one AES-256-GCM key a session, wrapped by HPKE, vouched for by the box.

The opening carries the key and is signed with the box's Ed25519 key; a frame is authentic because only box
and programme have the key. Nonces are kind and sequence number; a session never uses one twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from chevet.exchange.errors import Refused
from chevet.exchange.keys import kid
from chevet.exchange.live_watch import WATCH_BYTES
from chevet.exchange.live_wire import HEAD, Head, Stream, read_stream, stream_row, write_head
from chevet.study.cbor import Row, decode, encode
from chevet.study.errors import BundleError

KEY_BYTES: Final = 32
MOST_STREAMS: Final = 16
MOST_WRAPS: Final = 4
_SIGNATURE: Final = 64
_CONTEXT: Final = b"chevet live opening 1\0"
_INFO: Final = b"chevet live key 1\0"


@dataclass(frozen=True, slots=True)
class Told:
    """What an opening tells.

    Attributes:
        watch: whose word it answers, and `number` which one.
        held_ms: between that word's arrival and this answer.
        state: coded: `live`, `idle` (nothing is held), `no_visit`, `paused` (urgent bundles go first),
            `narrow` (the link is too slow), `poor` (fewer leads or a lower rate than the instrument gives).
        patient: whether the patient on the bench is that of the watched case: `same`, `other`, `unknown`.
        streams: what sections may hold from now on.
    """

    watch: bytes
    number: int
    held_ms: int
    state: str = "idle"
    patient: str = "unknown"
    streams: tuple[Stream, ...] = ()


def _suite() -> Suite:
    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)  # RFC 9180, base mode


def wrap(key: bytes, session: bytes, recipients: Sequence[X25519PublicKey]) -> list[list[bytes]]:
    """Return the session's key wrapped for each recipient."""
    return [[kid(one), _suite().encrypt(key, one, _INFO + session)] for one in recipients]


def seal_frame(head: Head, plain: bytes, key: bytes) -> bytes:
    """Return a frame as it travels."""
    bound = write_head(head)
    return bound + AESGCM(key).encrypt(_nonce(head), plain, bound)


def open_frame(head: Head, data: bytes, key: bytes) -> bytes:
    """Return what a frame holds.

    Raises:
        Refused: `undecryptable`.
    """
    try:
        return AESGCM(key).decrypt(_nonce(head), data[HEAD.size :], data[: HEAD.size])
    except (InvalidTag, ValueError):
        raise Refused("undecryptable") from None


def seal_opening(
    head: Head, told: Told, key: bytes, wraps: Sequence[Sequence[bytes]], signer: Ed25519PrivateKey
) -> bytes:
    """Return an opening as it travels."""
    bound = write_head(head)
    words = encode([told.state, told.patient, [stream_row(one) for one in told.streams]])
    sealed = AESGCM(key).encrypt(_nonce(head), words, bound)
    body = bound + encode([told.watch, told.number, told.held_ms, [list(one) for one in wraps], sealed])
    return body + signer.sign(_CONTEXT + body)


def open_opening(
    head: Head, data: bytes, origin: Ed25519PublicKey, openers: Sequence[X25519PrivateKey]
) -> tuple[Told, bytes]:
    """Return what an opening tells, and the session's key.

    Raises:
        Refused: `malformed`, `bad_signature`, `not_a_recipient` or `undecryptable`.
    """
    body, signature = data[:-_SIGNATURE], data[-_SIGNATURE:]
    try:
        origin.verify(signature, _CONTEXT + body)
    except InvalidSignature:
        raise Refused("bad_signature") from None
    try:
        row = Row(decode(body[HEAD.size :]))
        watch, number, held_ms = row.data(WATCH_BYTES), row.whole(), row.whole(0, 60_000)
        wraps, sealed = row.rows(), row.data()
        row.end()
        if len(wraps) > MOST_WRAPS:
            raise Refused("malformed")
        key = _unwrap({one.data(): one.data() for one in wraps}, head.session, openers)
        words = Row(decode(AESGCM(key).decrypt(_nonce(head), sealed, body[: HEAD.size])))
        state, patient, streams = words.text(), words.text(), words.rows()
        words.end()
        if len(streams) > MOST_STREAMS:
            raise Refused("malformed")
        return Told(watch, number, held_ms, state, patient, tuple(map(read_stream, streams))), key
    except BundleError:
        raise Refused("malformed") from None
    except (InvalidTag, ValueError):
        raise Refused("undecryptable") from None


def _unwrap(wraps: dict[bytes, bytes], session: bytes, openers: Sequence[X25519PrivateKey]) -> bytes:
    for opener in openers:
        wrapped = wraps.get(kid(opener.public_key()))
        if wrapped is not None:
            return _suite().decrypt(wrapped, opener, _INFO + session)
    raise Refused("not_a_recipient")


def _nonce(head: Head) -> bytes:
    return head.kind.to_bytes(4) + head.seq.to_bytes(8)
