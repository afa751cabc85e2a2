"""How a box and a programme come to know each other by one code; the messages, no I/O.

The code holds two halves of 80 bits: a secret that only the relay's operator and the box know, and the
fingerprint of the relay's signing key. The secret itself never travels: the box proves it by an HMAC over
what it asks for, and the relay answers with its signature, which the fingerprint pins. So neither side needs
to trust the road between them: who sits there can delay, but neither put in another key nor pose as the
relay. A box that is known already asks again (renewal) with its own signature alone.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from chevet.exchange.errors import BadKey, Refused
from chevet.exchange.keys import raw_public, signing_public

HALF: Final = 10
"""Bytes of the secret and of the fingerprint: 80 bits cannot be tried through, off line either."""
LARGEST: Final = 32 * 1024
"""Bytes of a message; a grant with two certificates takes about 4 KiB, with a full roster 20 KiB."""
MOST_SPECIALISTS: Final = 100
"""In a roster, so that a grant stays within LARGEST."""
_CHECK: Final = 4  # characters: a slip of the pen is told apart from a code that is not valid
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U
_STANDARD: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_TO_OURS: Final = str.maketrans(_STANDARD, _ALPHABET)
_TO_STANDARD: Final = str.maketrans(_ALPHABET, _STANDARD)
_MISREAD: Final = str.maketrans("OIL", "011", "- \t")
_ASK: Final = b"chevet enrol ask 1\0"
_GRANT: Final = b"chevet enrol grant 1\0"
T = TypeVar("T", bound=BaseModel)
SiteCode = Annotated[str, Field(pattern=r"^[a-z0-9]{1,6}$")]


@dataclass(frozen=True, slots=True)
class Code:
    """The one-time code: `secret` and `fingerprint`, 10 bytes each."""

    secret: bytes
    fingerprint: bytes

    @property
    def invite(self) -> str:
        """Return the public name of this code, 16 hexadecimal characters."""
        return hashlib.sha256(b"chevet enrol name 1\0" + self.secret).hexdigest()[:16]

    @property
    def proof_key(self) -> bytes:
        """Return the 32 bytes that key the box's proof."""
        return hashlib.sha256(b"chevet enrol proof 1\0" + self.secret).digest()

    def __str__(self) -> str:
        """Return the code as people copy it: nine groups of four characters."""
        body = _characters(self.secret + self.fingerprint)
        text = body + _check(body)
        return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


class RosterKey(BaseModel):
    """A specialist's confirmed key: studies of the specialty are sealed to it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    id: Annotated[str, Field(min_length=1, max_length=64)]
    specialty: Annotated[str, Field(max_length=40)]
    seal_key: Annotated[str, Field(max_length=44)]


class ProgrammeFile(BaseModel):
    """The public programme.json: whom a box trusts and seals to.

    Attributes:
        recipients: by name; the relay's own key `programme` is among them in processing mode alone.
        mode: "sealed" where the relay cannot open studies; then `specialists` can.
        roster: grows with every change of `specialists`; a box never goes back to an older one.
    """

    model_config = ConfigDict(extra="forbid", strict=True)
    v: Literal[1]
    programme: str
    relay_key: str
    recipients: dict[str, str]
    mode: Literal["processing", "sealed"] = "processing"
    roster: Annotated[int, Field(ge=0)] = 0
    specialists: Annotated[list[RosterKey], Field(max_length=MOST_SPECIALISTS)] = []

    @model_serializer(mode="wrap")
    def _plain(self, write: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Leave out what a box from before the two modes would refuse."""
        words: dict[str, object] = write(self)
        if self.mode == "processing":
            for name in ("mode", "roster", "specialists"):
                words.pop(name, None)
        return words


class Ask(BaseModel):
    """What a box asks for: its public keys, and a certificate for the key of `csr`.

    Attributes:
        invite: the code's name, or "" where a box known as `site` asks anew.
        csr: PKCS #10 in PEM; its key is certified, its words are ignored. "" asks for no certificate.
    """

    model_config = ConfigDict(extra="forbid", strict=True)
    v: Literal[1] = 1
    invite: Annotated[str, Field(pattern=r"^([0-9a-f]{16})?$")] = ""
    site: Annotated[str, Field(pattern=r"^[a-z0-9]{0,6}$")] = ""
    verify_key: Annotated[str, Field(max_length=44)]
    seal_key: Annotated[str, Field(max_length=44)]
    csr: Annotated[str, Field(max_length=4096)]


class Broker(BaseModel):
    """Where the box finds its broker."""

    model_config = ConfigDict(extra="forbid", strict=True)
    host: Annotated[str, Field(min_length=1, max_length=253)]
    port: Annotated[int, Field(ge=1, le=65535)]
    tls: bool


class Grant(BaseModel):
    """What the relay gives: who the box is now, whom it trusts, its certificate.

    Attributes:
        ask: SHA-256 of the body it answers, hexadecimal.
        authority, certificate: PEM; the programme's CA and the box's own, "" where none was asked.
        now_ms: the relay's clock, below which the box's never falls again.
    """

    model_config = ConfigDict(extra="forbid", strict=True)
    v: Literal[1] = 1
    ask: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    site: SiteCode
    name: Annotated[str, Field(min_length=1, max_length=200)]
    phone: Annotated[str, Field(max_length=40)]
    programme: ProgrammeFile
    authority: str
    certificate: str
    broker: Broker
    now_ms: Annotated[int, Field(ge=0)]


class Envelope(BaseModel):
    """A body as it was signed, its Ed25519 signature, and where the code proves it, the proof (base64)."""

    model_config = ConfigDict(extra="forbid", strict=True)
    body: Annotated[str, Field(max_length=LARGEST)]
    signature: Annotated[str, Field(max_length=88)]
    proof: Annotated[str, Field(max_length=44)] = ""


def make_code(relay_key: Ed25519PublicKey, random: Callable[[int], bytes]) -> Code:
    """Return a fresh code that pins the relay's key."""
    return Code(random(HALF), fingerprint(relay_key))


def read_code(text: str) -> Code:
    """Return the code of what somebody typed; case, hyphens and spaces do not matter, O is 0 and I, L are 1.

    Raises:
        Refused: `mistyped`.
    """
    plain = text.upper().translate(_MISREAD)
    body, check = plain[:-_CHECK], plain[-_CHECK:]
    if len(plain) != HALF * 2 * 8 // 5 + _CHECK or set(plain) - set(_ALPHABET) or _check(body) != check:
        raise Refused("mistyped")
    data = base64.b32decode(body.translate(_TO_STANDARD))
    return Code(data[:HALF], data[HALF:])


def fingerprint(relay_key: Ed25519PublicKey) -> bytes:
    """Return the 10 bytes by which a code names the relay."""
    return hashlib.sha256(b"chevet relay key 1\0" + raw_public(relay_key)).digest()[:HALF]


def write_ask(ask: Ask, signer: Ed25519PrivateKey, code: Code | None) -> bytes:
    """Return what the box sends: signed with its own key, proved by the code where it has one."""
    body = ask.model_dump_json().encode()
    proof = _proof(code.proof_key, body) if code else b""
    return _sealed(body, signer.sign(_ASK + body), proof)


def read_ask(data: bytes) -> tuple[Ask, Envelope]:
    """Return what a box asks, once its signature is found to be by the key it names: it holds that key.

    Raises:
        Refused: `malformed`, `bad_signature`.
    """
    envelope = _parsed(Envelope, data)
    ask = _parsed(Ask, envelope.body.encode())
    try:
        _verify(signing_public(ask.verify_key), _ASK, envelope)
    except BadKey:
        raise Refused("malformed") from None
    return ask, envelope


def proves(envelope: Envelope, proof_key: bytes) -> bool:
    """Tell whether the one who asks knows the code's secret."""
    return hmac.compare_digest(_bytes(envelope.proof), _proof(proof_key, envelope.body.encode()))


def ask_digest(envelope: bytes) -> str:
    """Return SHA-256 of the body of a written ask, as its grant repeats it."""
    return hashlib.sha256(_parsed(Envelope, envelope).body.encode()).hexdigest()


def write_grant(grant: Grant, signer: Ed25519PrivateKey) -> bytes:
    """Return what the relay answers, signed."""
    body = grant.model_dump_json().encode()
    return _sealed(body, signer.sign(_GRANT + body), b"")


def read_grant(data: bytes, ask: bytes, trusted: Callable[[Ed25519PublicKey], bool]) -> Grant:
    """Return what the relay gives.

    Args:
        data: its answer.
        ask: the message it answers, as it was sent.
        trusted: tells whether the key that signed is the relay's.

    Raises:
        Refused: `malformed`, `not_the_relay`, `bad_signature`, `other_ask`.
    """
    envelope = _parsed(Envelope, data)
    grant = _parsed(Grant, envelope.body.encode())
    try:
        relay_key = signing_public(grant.programme.relay_key)
    except BadKey:
        raise Refused("malformed") from None
    if not trusted(relay_key):
        raise Refused("not_the_relay")
    _verify(relay_key, _GRANT, envelope)
    if grant.ask != ask_digest(ask):
        raise Refused("other_ask")
    return grant


def _sealed(body: bytes, signature: bytes, proof: bytes) -> bytes:
    words = {"body": body.decode(), "signature": _text(signature), "proof": _text(proof)}
    return json.dumps(words, ensure_ascii=False).encode()


def _verify(key: Ed25519PublicKey, context: bytes, envelope: Envelope) -> None:
    try:
        key.verify(_bytes(envelope.signature), context + envelope.body.encode())
    except InvalidSignature:
        raise Refused("bad_signature") from None


def _proof(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, _ASK + body, "sha256")


def _parsed(shape: type[T], data: bytes) -> T:
    if len(data) > LARGEST * 2:
        raise Refused("malformed")
    try:
        return shape.model_validate_json(data)
    except ValidationError:
        raise Refused("malformed") from None


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused("malformed") from None


def _characters(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").translate(_TO_OURS)


def _check(body: str) -> str:
    return _characters(hashlib.sha256(b"chevet code 1\0" + body.encode()).digest())[:_CHECK]
