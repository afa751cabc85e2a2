"""The word by which somebody watches: signed by the relay, good for seconds, with a report of what came."""

from dataclasses import dataclass, replace
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from chevet.exchange.errors import Refused
from chevet.study.cbor import Row, Value, decode, encode
from chevet.study.errors import BundleError
from chevet.study.ids import to_wire

WATCH: Final = 16
"""First field of the message; receipts and queries have smaller ones."""
WATCH_BYTES: Final = 8
EVERY_S: Final = 2.0
"""So often a desk that watches says so."""
GOOD_FOR_S: Final = 8.0
"""Nothing is sent later than this after the last word: three may be lost."""
LONGEST_S: Final = 60.0
_CONTEXT: Final = b"chevet live watch 1\0"


@dataclass(frozen=True, slots=True)
class Report:
    """What the watching end saw since its last word.

    Attributes:
        received: frames opened.
        lost: frames that never came, or came too late to be shown.
        latency_ms: shortest time from sample to relay, -1 while it is not known.
    """

    received: int = 0
    lost: int = 0
    latency_ms: int = -1


@dataclass(frozen=True, slots=True)
class Watch:
    """Somebody watches (`for_ms` 0: no longer).

    Attributes:
        watch: random, one for each desk that watches.
        number: counts its words.
        at_ms: the relay's wall clock, by which an old word is told from a new one.
        for_ms: how long the box may go on after this word.
        case: the case that is open on the desk.
        report: of the frames that came.
    """

    watch: bytes
    number: int
    at_ms: int
    for_ms: int
    case: str
    report: Report = Report()
    signature: bytes = b""

    def fields(self) -> list[Value]:
        """Return what the signature covers."""
        report = [self.report.received, self.report.lost, self.report.latency_ms]
        return [WATCH, self.watch, self.number, self.at_ms, self.for_ms, to_wire(self.case), report]


def write_watch(word: Watch, signer: Ed25519PrivateKey) -> bytes:
    """Return the word, signed, as it travels."""
    signature = signer.sign(_CONTEXT + encode(word.fields()))
    return encode([*word.fields(), signature])


def read_watch(data: bytes, key: Ed25519PublicKey) -> Watch:
    """Return the word, once its signature is found to be the relay's.

    Raises:
        Refused: `malformed` or `bad_signature`.
    """
    try:
        row = Row(decode(data))
        if row.whole() != WATCH:
            raise Refused("malformed")
        head = (row.data(WATCH_BYTES), row.whole(), row.whole())
        for_ms, case, report = row.whole(0, round(1000 * LONGEST_S)), row.ident(), row.row()
        word = Watch(*head, for_ms, case, Report(report.whole(), report.whole(), report.whole(-1)))
        report.end()
        word = replace(word, signature=row.data(64))
        row.end()
    except BundleError:
        raise Refused("malformed") from None
    try:
        key.verify(word.signature, _CONTEXT + encode(word.fields()))
    except InvalidSignature:
        raise Refused("bad_signature") from None
    return word
