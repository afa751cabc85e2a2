"""The answer and the conversation: opinions and messages as they travel and as they are signed."""

from dataclasses import dataclass, field

from chevet.study.bundle import Bundle, Part
from chevet.study.cbor import Row, Value, decode, encode
from chevet.study.errors import BundleError
from chevet.study.ids import to_wire
from chevet.study.spoken import VoiceNote, read_voice, voice_row

CERTAINTIES = ("certain", "probable", "possible")
MESSAGE_KINDS = ("note", "retake", "feedback")
FACES = ("good", "fair", "bad")
"""What a worker may think of an answer: the text of a message of kind feedback."""
VERSION = 1

OPINION = "application/vnd.chevet.opinion"
MESSAGE = "application/vnd.chevet.message"


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote it: a specialist (or a worker, with no specialty)."""

    id: str
    name: str
    specialty: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """The author's signature and what vouches for the author.

    Attributes:
        value: Ed25519 over the signed bytes of the opinion or message, 64 bytes.
        public_key: the author's Ed25519 key, 32 raw bytes.
        certificate: Ed25519 of the programme's key over author and public key, 64 bytes.
    """

    value: bytes = b""
    public_key: bytes = b""
    certificate: bytes = b""


@dataclass(frozen=True, slots=True)
class Medicine:
    """A medicine advised: its name as the site's stock list has it, and how it is taken."""

    name: str
    how: str = ""


@dataclass(frozen=True, slots=True)
class Opinion:
    """The specialist's answer; an amendment is a new version under the same case.

    Attributes:
        id: UUIDv7 as text.
        case: id of the study that opened the case.
        version: from 1.
        certainty: one of CERTAINTIES.
        urgency: one of the study's URGENCIES.
        transfer: the patient should be moved.
        follow_up_date: "YYYY-MM-DD" or None.
        signed_ms: wall clock of the relay, Unix ms.
        label: HTEST where the case is simulated, else "".
        medicines: in the order they were chosen.
        voice: the same said aloud; the sound travels in a bundle of its own.
    """

    id: str
    case: str
    version: int
    impression: str
    certainty: str
    advice: str
    urgency: str
    transfer: bool
    follow_up_date: str | None
    author: Author
    signed_ms: int
    label: str = ""
    signature: Signature = field(default_factory=Signature)
    medicines: tuple[Medicine, ...] = ()
    voice: VoiceNote | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A note, the request to take one recording again, or what the worker thought of the answer.

    Attributes:
        kind: one of MESSAGE_KINDS; a retake names `step`, and `site` or `side` where the step has one.
        at_ms: wall clock of the author's box, Unix ms.
        voice: spoken instead of text, or beside it.
    """

    id: str
    case: str
    kind: str
    text: str
    author: Author
    at_ms: int
    step: str = ""
    site: str = ""
    side: str = ""
    label: str = ""
    signature: Signature = field(default_factory=Signature)
    voice: VoiceNote | None = None


def opinion_bytes(opinion: Opinion) -> bytes:
    """Return the bytes an opinion's signature covers: everything but the signature."""
    return encode(["opinion", *_opinion_fields(opinion)])


def message_bytes(message: Message) -> bytes:
    """Return the bytes a message's signature covers: everything but the signature."""
    return encode(["message", *_message_fields(message)])


def pack_opinion(opinion: Opinion) -> Bundle:
    """Return the opinion as a bundle of one part."""
    data = encode([VERSION, _opinion_fields(opinion), _signature_row(opinion.signature)])
    return Bundle(opinion.id, "opinion", opinion.case, (Part(0, 0, "opinion", OPINION, "", data),))


def unpack_opinion(bundle: Bundle) -> Opinion:
    """Return the opinion; its signature is not verified here.

    Raises:
        BundleError: the bundle is damaged, or holds something else.
    """
    fields, signature = _open(bundle, "opinion")
    opinion = Opinion(
        id=fields.ident(),
        case=fields.ident(),
        version=fields.whole(1),
        impression=fields.text(),
        certainty=_one_of(fields.text(), CERTAINTIES),
        advice=fields.text(),
        urgency=fields.text(),
        transfer=fields.flag(),
        follow_up_date=_text_or_none(fields.any()),
        author=_author(fields.row()),
        signed_ms=fields.whole(),
        label=fields.text(),
        medicines=tuple(_medicine(row) for row in fields.rows()) if fields.more() else (),
        voice=read_voice(fields.row()) if fields.more() else None,
        signature=signature,
    )
    fields.end()
    _same_ids(bundle, opinion.id, opinion.case)
    return opinion


def pack_message(message: Message) -> Bundle:
    """Return the message as a bundle of one part."""
    data = encode([VERSION, _message_fields(message), _signature_row(message.signature)])
    return Bundle(message.id, "message", message.case, (Part(0, 0, "message", MESSAGE, "", data),))


def unpack_message(bundle: Bundle) -> Message:
    """Return the message; its signature is not verified here.

    Raises:
        BundleError: the bundle is damaged, or holds something else.
    """
    fields, signature = _open(bundle, "message")
    message = Message(
        id=fields.ident(),
        case=fields.ident(),
        kind=_one_of(fields.text(), MESSAGE_KINDS),
        text=fields.text(),
        author=_author(fields.row()),
        at_ms=fields.whole(),
        step=fields.text(),
        site=fields.text(),
        side=fields.text(),
        label=fields.text(),
        voice=read_voice(fields.row()) if fields.more() else None,
        signature=signature,
    )
    fields.end()
    _same_ids(bundle, message.id, message.case)
    return message


def _opinion_fields(opinion: Opinion) -> list[Value]:
    fields: list[Value] = [
        to_wire(opinion.id),
        to_wire(opinion.case),
        opinion.version,
        opinion.impression,
        opinion.certainty,
        opinion.advice,
        opinion.urgency,
        opinion.transfer,
        opinion.follow_up_date,
        _author_row(opinion.author),
        opinion.signed_ms,
        opinion.label,
    ]
    # Left out where there are none, so that what was signed before they existed still verifies.
    if opinion.medicines or opinion.voice:
        fields.append([[one.name, one.how] for one in opinion.medicines])
    return [*fields, voice_row(opinion.voice)] if opinion.voice else fields


def _medicine(row: Row) -> Medicine:
    found = Medicine(row.text(), row.text())
    row.end()
    return found


def _message_fields(message: Message) -> list[Value]:
    fields: list[Value] = [
        to_wire(message.id),
        to_wire(message.case),
        message.kind,
        message.text,
        _author_row(message.author),
        message.at_ms,
        message.step,
        message.site,
        message.side,
        message.label,
    ]
    return [*fields, voice_row(message.voice)] if message.voice else fields


def _author_row(author: Author) -> Value:
    return [to_wire(author.id), author.name, author.specialty]


def author_bytes(author: Author, public_key: bytes) -> bytes:
    """Return the bytes a certificate covers: the author and the author's key."""
    return encode(["author", _author_row(author), public_key])


def _author(row: Row) -> Author:
    return Author(row.ident(), row.text(), row.text())


def _signature_row(signature: Signature) -> Value:
    return [signature.value, signature.public_key, signature.certificate]


def _open(bundle: Bundle, kind: str) -> tuple[Row, Signature]:
    if bundle.kind != kind or len(bundle.parts) != 1 or bundle.parts[0].kind != kind:
        raise BundleError("another_kind")
    row = Row(decode(bundle.parts[0].data))
    row.whole(VERSION, VERSION)
    fields, mark = row.row(), row.row()
    row.end()
    return fields, Signature(mark.data(), mark.data(), mark.data())


def _one_of(word: str, words: tuple[str, ...]) -> str:
    if word not in words:
        raise BundleError("unknown_word")
    return word


def _text_or_none(value: Value) -> str | None:
    if value is not None and not isinstance(value, str):
        raise BundleError("wrong_type")
    return value


def _same_ids(bundle: Bundle, ident: str, case: str) -> None:
    if (bundle.id, bundle.case) != (ident, case):
        raise BundleError("contradiction")
