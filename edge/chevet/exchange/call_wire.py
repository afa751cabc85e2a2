"""Words of a call: signed by who says them, sealed to whom they are for, small enough for a poor link.

Only these words travel here. The voices go from browser to browser (DTLS-SRTP), straight or over the
programme's own TURN server; the fingerprints of their keys are in the session descriptions (SDP, RFC 8866)
that these words carry, so nobody between can put himself into a call.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from chevet.exchange.errors import Refused
from chevet.exchange.keys import kid
from chevet.study.cbor import Row, Value, decode, encode
from chevet.study.errors import BundleError
from chevet.study.ids import to_wire

CALL: Final = 17
"""First field of the message; the word by which somebody watches has 16."""
CALL_BYTES: Final = 8
KINDS: Final = ("ring", "ringing", "accept", "refuse", "here", "hold", "hangup")
REASONS: Final = (
    *("declined", "busy", "examining", "nobody", "private", "unknown_case", "off"),
    *("no_answer", "unreachable", "lost", "media", "ended", "no_microphone"),
)
"""Why a call was not taken (first line), or ended."""
MOST_BYTES: Final = 12 * 1024
MOST_INSIDE: Final = 48 * 1024
"""What a word may hold once it is inflated; two browsers' descriptions with video are about 8 KB."""
MOST_WRAPS: Final = 4
_KEY: Final = 32
_NONCE: Final = bytes(12)  # the key is of this one word
_CONTEXT: Final = b"chevet call 1\0"
_INFO: Final = b"chevet call key 1\0"
_RAW: Final = -15  # DEFLATE without a head, RFC 1951


@dataclass(frozen=True, slots=True)
class CallWord:
    """One word of a call.

    Attributes:
        call: random, made by who rings.
        number: counts the words of its sender within this call, from 1.
        at_ms: the sender's wall clock, by which a ring of long ago is told from one of now.
        kind: one of KINDS.
        case: the case that is open on the desk.
        facts: by name: `sdp`, `name`, `specialty`, `ice`, `worker`, `reason`, `rate`, `held`.
    """

    call: bytes
    number: int
    at_ms: int
    kind: str
    case: str
    facts: dict[str, str] = field(default_factory=dict[str, str])


def is_call(payload: bytes) -> bool:
    """Say whether a message is a word of a call: an array of seven whose first field is CALL."""
    return payload[:2] == bytes([0x87, CALL])


def write_call(
    word: CallWord,
    *,
    signer: Ed25519PrivateKey,
    recipients: Sequence[X25519PublicKey],
    random: Callable[[int], bytes],
) -> bytes:
    """Return the word, sealed and signed, as it travels.

    Raises:
        ValueError: it is too large to be a word of a call.
    """
    key = random(_KEY)
    head: list[Value] = [CALL, word.call, word.number, word.at_ms]
    wraps: list[Value] = [[kid(one), _suite().encrypt(key, one, _INFO + word.call)] for one in recipients]
    inside = encode([word.kind, to_wire(word.case), dict(word.facts)])
    deflate = zlib.compressobj(9, zlib.DEFLATED, _RAW)
    sealed = AESGCM(key).encrypt(_NONCE, deflate.compress(inside) + deflate.flush(), encode(head))
    body: list[Value] = [*head, wraps, sealed]
    data = encode([*body, signer.sign(_CONTEXT + encode(body))])
    if len(data) > MOST_BYTES or len(inside) > MOST_INSIDE:
        raise ValueError("a word of a call is at most 12 KiB")
    return data


def read_call(data: bytes, key: Ed25519PublicKey, openers: Sequence[X25519PrivateKey]) -> CallWord:
    """Return the word, once its signature is found to be that of `key`.

    Raises:
        Refused: `malformed`, `bad_signature`, `not_a_recipient` or `undecryptable`.
    """
    try:
        if len(data) > MOST_BYTES:
            raise BundleError("too_large")
        row = Row(decode(data))
        head: list[Value] = [row.whole(CALL, CALL), row.data(CALL_BYTES), row.whole(1), row.whole()]
        wraps = [(one.data(8), one.data(80)) for one in row.rows()]
        sealed, signature = row.data(), row.data(64)
        row.end()
        body: list[Value] = [*head, [[ident, wrapped] for ident, wrapped in wraps], sealed]
        _verify(key, signature, encode(body))
        if len(wraps) > MOST_WRAPS:
            raise BundleError("malformed")
        return _inside(head, _open(dict(wraps), head, sealed, openers))
    except BundleError:
        raise Refused("malformed") from None


def _verify(key: Ed25519PublicKey, signature: bytes, body: bytes) -> None:
    try:
        key.verify(signature, _CONTEXT + body)
    except InvalidSignature:
        raise Refused("bad_signature") from None


def _open(
    wraps: dict[bytes, bytes], head: list[Value], sealed: bytes, openers: Sequence[X25519PrivateKey]
) -> bytes:
    call = head[1]
    assert isinstance(call, bytes), "read as bytes above"
    for opener in openers:
        wrapped = wraps.get(kid(opener.public_key()))
        if wrapped is None:
            continue
        try:
            key = _suite().decrypt(wrapped, opener, _INFO + call)
            return AESGCM(key).decrypt(_NONCE, sealed, encode(head))
        except (InvalidTag, ValueError):
            raise Refused("undecryptable") from None
    raise Refused("not_a_recipient")


def _inside(head: list[Value], packed: bytes) -> CallWord:
    inflate = zlib.decompressobj(_RAW)
    try:
        plain = inflate.decompress(packed, MOST_INSIDE)
    except zlib.error:
        raise BundleError("malformed") from None
    if not inflate.eof or inflate.unused_data:
        raise BundleError("too_large")
    outer, row = Row(head), Row(decode(plain))
    outer.whole()
    call, number, at_ms = outer.data(), outer.whole(), outer.whole()
    word = CallWord(call, number, at_ms, row.text(), row.ident(), row.words())
    row.end()
    if word.kind not in KINDS or word.facts.get("reason", REASONS[0]) not in REASONS:
        raise BundleError("unknown_word")
    return word


def _suite() -> Suite:
    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)  # RFC 9180, base mode
