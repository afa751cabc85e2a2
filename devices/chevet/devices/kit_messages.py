"""What is inside the kit's frames: PROTOCOL.md, sections 4 to 7. Pure functions on payloads."""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np

from chevet.devices.errors import BrokenPayload
from chevet.devices.samples import Channel, Samples

IDENTIFY: Final = 0x01
START: Final = 0x02
STOP: Final = 0x03
IDENTITY: Final = 0x81
ANSWER: Final = 0x82
SAMPLES: Final = 0x83
STATUS: Final = 0x84

MAJOR, MINOR = 1, 0
"""The version of PROTOCOL.md that is spoken here."""
INSTRUMENTS = {1: "ecg", 2: "stethoscope", 3: "oximeter"}

DONE, BUSY, FRONT_END = 0, 3, 5
CODES = {0: "done", 1: "unknown_command", 2: "bad_length", 3: "busy", 4: "version", 5: "front_end"}

MAX_CHANNELS = 16
MAX_TEXT = 32
MAX_EXPONENT = 12
BATTERY_UNKNOWN = 255
IDENTITY_HEAD = struct.Struct("<BBBBBIBB")
SAMPLES_HEAD = struct.Struct("<IIBB")
STATUS_FIELDS = struct.Struct("<IIIHHHBB")


@dataclass(frozen=True, slots=True)
class Identity:
    """How a device describes itself.

    Attributes:
        answers: seq of the `identify` answered.
        major: its protocol version; with another major nothing but these first three fields is known.
        minor: the lesser part of the version.
        instrument: "ecg", "stethoscope", "oximeter", or "" for one that is not known here.
        simulated: its samples never come from a patient.
        bits: significant bits of a sample.
        channels: in the order of the samples; all have one rate.
    """

    answers: int
    major: int
    minor: int
    instrument: str = ""
    simulated: bool = False
    bits: int = 16
    model: str = ""
    serial: str = ""
    firmware: str = ""
    channels: tuple[Channel, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """Type and seq of the command answered, and the code: 0 is done, others refuse."""

    command: int
    answers: int
    code: int


@dataclass(frozen=True, slots=True, eq=False)
class SampleSets:
    """Consecutive sample sets: counter of the first, sets lost in the device, int16 [channels, sets]."""

    first: int
    lost: int
    values: Samples


@dataclass(frozen=True, slots=True)
class Status:
    """What a device tells once a second.

    Attributes:
        uptime_ms: since power-on, modulo 2^32.
        index: counter of the next sample set, 0 while stopped.
        lost: sample sets lost in the device since the start.
        dropped_frames: that it could not send, modulo 2^16.
        bad_commands: that it could not read, modulo 2^16.
        off: indices of the channels without contact.
        battery_pct: 0..100 or None.
    """

    uptime_ms: int
    index: int
    lost: int
    dropped_frames: int
    bad_commands: int
    off: tuple[int, ...]
    battery_pct: int | None
    streaming: bool
    charging: bool


class _Fields:
    """Reads a payload from front to back; every read beyond its end is a BrokenPayload."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._at = 0
        self._what = what

    def take(self, size: int) -> bytes:
        part = self._data[self._at : self._at + size]
        if len(part) < size:
            raise BrokenPayload(self._what)
        self._at += size
        return part

    def text(self) -> str:
        size = self.take(1)[0]
        part = self.take(size)
        if size > MAX_TEXT or any(not 0x20 <= byte <= 0x7E or byte in b";=" for byte in part):
            raise BrokenPayload(self._what)
        return part.decode("ascii")

    def decimal(self) -> float:
        mantissa, exponent = struct.unpack("<ib", self.take(5))
        if abs(exponent) > MAX_EXPONENT:
            raise BrokenPayload(self._what)
        return float(
            f"{mantissa}e{exponent}"
        )  # correctly rounded: (1, -3) is 0.001, not 0.0010000000000000002


def parse_identity(payload: bytes) -> Identity:
    """Read an `identity`; of another major version only the first three bytes.

    Raises:
        BrokenPayload: a field is missing or out of its range.
    """
    fields = _Fields(payload, "identity")
    answers, major, minor = fields.take(3)
    if major != MAJOR:
        return Identity(answers, major, minor)
    fields = _Fields(payload, "identity")
    *_, instrument, flags, rate_mhz, bits, count = IDENTITY_HEAD.unpack(fields.take(IDENTITY_HEAD.size))
    model, serial, firmware = fields.text(), fields.text(), fields.text()
    if not (rate_mhz and 1 <= bits <= 16 and 1 <= count <= MAX_CHANNELS):
        raise BrokenPayload("identity")
    channels = tuple(_channel(fields, rate_mhz / 1000) for _ in range(count))
    return Identity(
        answers,
        major,
        minor,
        INSTRUMENTS.get(instrument, ""),
        bool(flags & 1),
        bits,
        model,
        serial,
        firmware,
        channels,
    )


def _channel(fields: _Fields, rate_hz: float) -> Channel:
    name, unit, gain, offset = fields.text(), fields.text(), fields.decimal(), fields.decimal()
    if not name or not unit or not gain:
        raise BrokenPayload("identity")
    return Channel(name, unit, rate_hz, gain, offset)


def parse_answer(payload: bytes) -> Answer:
    """Read an `answer`.

    Raises:
        BrokenPayload: fewer than three bytes.
    """
    command, answers, code = _Fields(payload, "answer").take(3)
    return Answer(command, answers, code)


def parse_samples(payload: bytes) -> SampleSets:
    """Read a `samples` payload into int16 [channels, sets].

    Raises:
        BrokenPayload: counts and length disagree, or there is nothing in it.
    """
    first, lost, sets, channels = SAMPLES_HEAD.unpack(_Fields(payload, "samples").take(SAMPLES_HEAD.size))
    body = payload[SAMPLES_HEAD.size :]
    if not sets or not channels or len(body) != 2 * sets * channels:
        raise BrokenPayload("samples")
    values = np.frombuffer(body, dtype="<i2").reshape(sets, channels).T
    return SampleSets(first, lost, np.ascontiguousarray(values, dtype=np.int16))


def parse_status(payload: bytes) -> Status:
    """Read a `status`.

    Raises:
        BrokenPayload: fewer than twenty bytes.
    """
    fields = STATUS_FIELDS.unpack(_Fields(payload, "status").take(STATUS_FIELDS.size))
    uptime_ms, index, lost, dropped_frames, bad_commands, off, battery, flags = fields
    return Status(
        uptime_ms,
        index,
        lost,
        dropped_frames,
        bad_commands,
        off=tuple(bit for bit in range(MAX_CHANNELS) if off >> bit & 1),
        battery_pct=battery if battery <= 100 else None,
        streaming=bool(flags & 1),
        charging=bool(flags & 2),
    )
