"""The device's side of `firmware-bridge/PROTOCOL.md`: bytes of frames, and commands found in bytes.

Written from that page alone; the decoder of the host is never used here, lest one misreading hide in both.
"""

import binascii
import struct
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from chevet.sim.playback import Int16

SYNC = b"\xa5\x5a"
IDENTIFY, START, STOP = 0x01, 0x02, 0x03
IDENTITY, ANSWER, SAMPLES, STATUS = 0x81, 0x82, 0x83, 0x84
DONE, UNKNOWN_COMMAND, BAD_LENGTH, FRONT_END = 0, 1, 2, 5
FIRST_TO_HOST = 0x80
MAX_PAYLOAD = 1024
QUIET_S = 0.1
"""Section 3: after 100 ms of silence an incomplete candidate is given up."""
NO_BATTERY = 255


@dataclass(frozen=True, slots=True)
class WireChannel:
    """One channel as an identity frame describes it; gain and offset are decimal (section 5)."""

    name: str
    unit: str
    gain: Decimal = Decimal(1)
    offset: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a device says about itself.

    Attributes:
        instrument: 1 ecg, 2 stethoscope, 3 oximeter.
        rate_mhz: sample rate in millihertz.
        bits: significant bits of a sample.
    """

    instrument: int
    rate_mhz: int
    model: str
    serial: str
    firmware: str
    channels: tuple[WireChannel, ...]
    bits: int = 16
    simulated: bool = True
    version: tuple[int, int] = (1, 0)


@dataclass(frozen=True, slots=True)
class Status:
    """The once-a-second frame of section 7; `off` is the bitmap of channels without contact."""

    uptime_ms: int
    index: int
    lost: int = 0
    dropped_frames: int = 0
    bad_commands: int = 0
    off: int = 0
    battery_pct: int = NO_BATTERY
    streaming: bool = False
    charging: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A frame to the device whose CRC was right."""

    type: int
    seq: int
    payload: bytes


def crc16(data: bytes) -> int:
    """Return CRC-16/CCITT-FALSE of `data` (polynomial 0x1021, start 0xFFFF)."""
    return binascii.crc_hqx(data, 0xFFFF)


def frame(kind: int, seq: int, payload: bytes) -> bytes:
    """Return one whole frame (section 2)."""
    body = struct.pack("<BBH", kind, seq & 0xFF, len(payload)) + payload
    return SYNC + body + struct.pack("<H", crc16(body))


def identity_payload(identity: Identity, answers: int) -> bytes:
    """Return the payload of an identity frame that answers the identify frame `answers`."""
    head = struct.pack(
        "<BBBBBIBB",
        answers & 0xFF,
        *identity.version,
        identity.instrument,
        int(identity.simulated),
        identity.rate_mhz,
        identity.bits,
        len(identity.channels),
    )
    texts = b"".join(map(_text, (identity.model, identity.serial, identity.firmware)))
    return head + texts + b"".join(map(_channel, identity.channels))


def answer_payload(command: int, seq: int, code: int) -> bytes:
    """Return the payload of an answer to the command frame of that type and seq."""
    return struct.pack("<BBB", command, seq, code)


def samples_payload(first: int, lost: int, values: Int16) -> bytes:
    """Return the payload of a samples frame; `values` has shape [channels, sets], sent set after set."""
    channels, sets = values.shape
    head = struct.pack("<IIBB", first & 0xFFFFFFFF, lost & 0xFFFFFFFF, sets, channels)
    return head + np.ascontiguousarray(values.T, dtype="<i2").tobytes()


def status_payload(status: Status) -> bytes:
    """Return the payload of a status frame."""
    return struct.pack(
        "<IIIHHHBB",
        status.uptime_ms & 0xFFFFFFFF,
        status.index & 0xFFFFFFFF,
        status.lost & 0xFFFFFFFF,
        status.dropped_frames & 0xFFFF,
        status.bad_commands & 0xFFFF,
        status.off,
        status.battery_pct,
        int(status.streaming) | int(status.charging) << 1,
    )


def _text(text: str) -> bytes:
    encoded = text.encode("ascii")
    return bytes([len(encoded)]) + encoded


def _channel(channel: WireChannel) -> bytes:
    return _text(channel.name) + _text(channel.unit) + _decimal(channel.gain) + _decimal(channel.offset)


def _decimal(number: Decimal) -> bytes:
    """Return i32 mantissa and i8 exponent of an exact decimal."""
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"{number} is not a finite number")
    mantissa = int("".join(map(str, digits))) * (-1 if sign else 1)
    return struct.pack("<ib", mantissa, exponent)


class CommandReader:
    """Finds command frames in whatever arrives (section 3); time comes in, nothing is read or sent."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._heard_at = 0.0
        self.bad_commands = 0

    def feed(self, data: bytes, now: float) -> list[Command]:
        """Take bytes, possibly none, and return the commands complete by `now` (monotonic seconds)."""
        commands: list[Command] = []
        if data:
            self._heard_at = now
            self._pending += data
            self._parse(commands)
        elif self._pending and now - self._heard_at >= QUIET_S:
            while self._pending:
                del self._pending[0]
                self._parse(commands)
        return commands

    def _parse(self, commands: list[Command]) -> None:
        while self._align():
            kind, seq, length = struct.unpack_from("<BBH", self._pending, 2)
            if length > MAX_PAYLOAD:
                self._reject()
                continue
            if len(self._pending) < 8 + length:
                return
            body = bytes(self._pending[2 : 6 + length])
            (crc,) = struct.unpack_from("<H", self._pending, 6 + length)
            if crc != crc16(body):
                self._reject()
                continue
            del self._pending[: 8 + length]
            if kind < FIRST_TO_HOST:
                commands.append(Command(kind, seq, body[4:]))

    def _align(self) -> bool:
        """Drop bytes before a sync; say whether a whole head stands there."""
        at = self._pending.find(SYNC)
        keep_last = at < 0 and self._pending.endswith(SYNC[:1])
        del self._pending[: at if at >= 0 else len(self._pending) - keep_last]
        return len(self._pending) >= 6

    def _reject(self) -> None:
        del self._pending[0]
        self.bad_commands += 1
