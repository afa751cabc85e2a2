"""Questions that make a silent instrument say who it is, and nothing else: no start, no setting, no erasing.

They are asked only where the site's settings or a person at the terminal or screen allow it, or where frames
of our own protocol were heard: a port may have anything behind it, and a word to it is a deed.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from chevet.bridge.frame import Frame, FrameDecoder, encode
from chevet.devices import contec_packets, kit_messages, nonin_commands
from chevet.devices.conditions import clean
from chevet.devices.counters import Counters
from chevet.devices.errors import BrokenPayload
from chevet.devices.recognition import CERTAIN, LIKELY, Recognition
from chevet.devices.signatures import (
    KIT,
    S9600,
    S115200,
    S230400,
    S921600,
    LineSetting,
)

CONTEC_ASK_MODEL = 0xA8
CONTEC_MODEL = 0x02
MODEL_TEXT = re.compile(rb"[A-Z0-9()+ -]{6}")
"""The first packet is full ("50D(A)" of a CMS50D+): noise hits that once in 2^40 places."""
SERIAL_ANSWER = bytes((nonin_commands.STX, nonin_commands.SERIAL_NUMBER | nonin_commands.ANSWER))


@dataclass(frozen=True, slots=True)
class Question:
    """One harmless question.

    Attributes:
        drivers: whose instruments know it.
        setting: how the line has to be open.
        words: what is sent.
        understand: returns what the answer says, None while it says nothing.
        patience_s: how long an answer may take.
        settle_s: how long to wait before asking: boards that restart when their port is opened hear nothing.
    """

    drivers: tuple[str, ...]
    setting: LineSetting
    words: bytes
    understand: Callable[[bytes], Recognition | None]
    patience_s: float = 1.0
    settle_s: float = 0.0


def kit_identity(data: bytes) -> Recognition | None:
    """Return which of the kit's front ends described itself (PROTOCOL.md section 5)."""
    for frame in FrameDecoder().feed(data):
        if frame.type != kit_messages.IDENTITY:
            continue
        try:
            identity = kit_messages.parse_identity(frame.payload)
        except BrokenPayload:
            continue
        driver = f"kit-{identity.instrument}"
        if driver in KIT:
            return _answered(driver, S921600, clean(identity.model), serial=clean(identity.serial))
    return None


def contec_model(data: bytes) -> Recognition | None:
    """Return a newer Contec oximeter by the model that it names, in one packet or two."""
    cutter = contec_packets.ContecPackets(Counters())
    packets = [*cutter.feed(data), *cutter.end()]
    texts = {body[0]: body[1:] for _, type_, body in packets if type_ == CONTEC_MODEL and body}
    if not MODEL_TEXT.fullmatch(texts.get(0, b"")):
        return None
    model = b"".join(texts[place] for place in sorted(texts)).decode("ascii", "replace")
    return _answered("contec-cms50-v2", S115200, clean(model.replace("\0", " ")))


def nonin_serial(data: bytes) -> Recognition | None:
    """Return a Nonin spot-check oximeter by its serial number: F4, length, text, ETX."""
    at = data.find(SERIAL_ANSWER)
    if at < 0 or len(data) < at + 3:
        return None
    size = data[at + 2]
    text, end = data[at + 3 : at + 3 + size], data[at + 3 + size : at + 4 + size]
    number = re.search(rb"[0-9]{6,9}", text)
    if end != bytes((nonin_commands.ETX,)) or number is None:
        return None
    return _answered("nonin-df13", S9600, "serial", serial=number[0].decode("ascii"))


def bitalino_version(data: bytes) -> Recognition | None:
    """Return a BITalino by its version line."""
    found = re.search(rb"BITalino_v\d[\d.]*(?=\r?\n)", data)
    return _answered("bitalino", S115200, found[0].decode("ascii")) if found else None


def cyton_banner(data: bytes) -> Recognition | None:
    """Return a Cyton by the banner of its reset, or its dongle by its complaint that the board is off."""
    if re.search(rb"OpenBCI[ -~\r\n]*?\$\$\$", data):
        return _answered("cyton", S115200, "OpenBCI")
    if re.search(rb"Failure[ -~\r\n]*?\$\$\$", data):
        doubt = "the dongle answers, but its board is switched off"
        return Recognition(("cyton",), LIKELY, "answer:Failure", doubt, S115200.options)
    return None


def _chords_board(setting: LineSetting) -> Callable[[bytes], Recognition | None]:
    def understand(data: bytes) -> Recognition | None:
        found = re.search(rb"(UNO-(?:R3|R4|CLONE))\r?\n", data)
        return _answered("chords", setting, found[1].decode("ascii")) if found else None

    return understand


def _answered(driver: str, setting: LineSetting, what: str, serial: str = "") -> Recognition:
    return Recognition((driver,), CERTAIN, f"answer:{what}", "", setting.options, serial)


KIT_QUESTION = Question(
    KIT,
    S921600,
    encode(Frame(kit_messages.IDENTIFY, 0, bytes((kit_messages.MAJOR, kit_messages.MINOR)))),
    kit_identity,
)
RESTARTING_S = 2.0
"""An Arduino's boot loader listens for about this long after its port was opened."""

QUESTIONS: tuple[Question, ...] = (
    KIT_QUESTION,
    Question(("contec-cms50-v2",), S115200, contec_packets.command(CONTEC_ASK_MODEL), contec_model),
    Question(("nonin-df13",), S9600, nonin_commands.get_serial_number(), nonin_serial),
    Question(("bitalino",), S115200, b"\x07", bitalino_version),
    Question(("cyton",), S115200, b"v", cyton_banner, patience_s=3.0),
    Question(("chords",), S230400, b"WHORU\n", _chords_board(S230400), settle_s=RESTARTING_S),
    Question(("chords",), S115200, b"WHORU\n", _chords_board(S115200), settle_s=RESTARTING_S),
)
"""In the order in which they are asked. `v` makes a Cyton print who it is, by way of a reset of its settings,
which its driver does at every start anyway."""


def questions_for(drivers: tuple[str, ...]) -> tuple[Question, ...]:
    """Return all questions, those of `drivers` first."""
    return tuple(sorted(QUESTIONS, key=lambda one: set(one.drivers).isdisjoint(drivers)))
