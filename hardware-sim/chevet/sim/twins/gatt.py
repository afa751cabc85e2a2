"""What a Bluetooth twin is: services with characteristics, and a device that says what to send and when."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

NOTIFY, INDICATE, READ, WRITE = "notify", "indicate", "read", "write"
PAIRED = "paired"
"""Reading and writing need an encrypted connection: the client has to pair first."""
Sent = tuple[str, bytes]
"""UUID (lower case, 128 bit) and value of a notification or indication."""

DEVICE_INFORMATION, BATTERY_SERVICE = 0x180A, 0x180F
MAKER, MODEL, SERIAL, FIRMWARE, BATTERY_LEVEL = 0x2A29, 0x2A24, 0x2A25, 0x2A26, 0x2A19


def sig(number: int) -> str:
    """Return the 128-bit form of a number that the Bluetooth SIG has assigned."""
    return f"{number:08x}-0000-1000-8000-00805f9b34fb"


@dataclass(frozen=True, slots=True)
class Characteristic:
    """One characteristic: what may be done with it, and its value where it can be read.

    A write is refused unless the client has subscribed all in `after`.
    """

    uuid: str
    can: frozenset[str]
    value: bytes = b""
    after: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Service:
    """One service; `advertised` ones stand in the advertisement."""

    uuid: str
    characteristics: tuple[Characteristic, ...] = field(default=())
    advertised: bool = True


def characteristic(uuid: str, *can: str, value: bytes = b"", after: tuple[str, ...] = ()) -> Characteristic:
    """Return a characteristic."""
    return Characteristic(uuid, frozenset(can), value, frozenset(after))


def about(maker: str, model: str, serial: str, firmware: str = "1.0-sim") -> Service:
    """Return a Device Information Service with four texts."""
    texts = {MAKER: maker, MODEL: model, SERIAL: serial, FIRMWARE: firmware}
    parts = tuple(characteristic(sig(number), READ, value=text.encode()) for number, text in texts.items())
    return Service(sig(DEVICE_INFORMATION), parts, advertised=False)


def battery(percent: int) -> Service:
    """Return a Battery Service."""
    level = characteristic(sig(BATTERY_LEVEL), READ, NOTIFY, value=bytes([percent]))
    return Service(sig(BATTERY_SERVICE), (level,), advertised=False)


class GattDevice(Protocol):
    """What every virtual Bluetooth instrument offers; all times are monotonic seconds.

    Attributes:
        name: advertised.
        services: what it offers.
        linger_s: it disconnects so long after its last words, 0 for one that stays connected.
    """

    name: str
    services: tuple[Service, ...]
    linger_s: float

    def connected(self, now: float) -> None:
        """Take note that somebody connected and subscribed."""
        ...

    def written(self, uuid: str, data: bytes, now: float) -> list[Sent]:
        """Take what the client wrote; return the answers."""
        ...

    def advance(self, now: float) -> list[Sent]:
        """Return what is due at `now`."""
        ...


@runtime_checkable
class Pushing(Protocol):
    """A device that keeps what it has to say until somebody has subscribed it.

    Attributes:
        pushes: UUID that must be subscribed first.
    """

    pushes: str


def in_parts(uuid: str, data: bytes, size: int = 20) -> list[Sent]:
    """Return a stream cut into notifications of `size` bytes, wherever frames begin."""
    return [(uuid, data[start : start + size]) for start in range(0, len(data), size)]


def all_of(uuid: str, values: Iterable[bytes]) -> list[Sent]:
    """Return each value as one notification."""
    return [(uuid, value) for value in values]
