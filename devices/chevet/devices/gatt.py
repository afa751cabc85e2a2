"""What the Bluetooth SIG's services have in common: UUIDs, numbers, dates, Device Information, Battery, time.

Current Time (0x2A2B) is read where the link reads it, and set where the link may write it: some meters send
nothing before that.
"""

import datetime
from collections.abc import Callable, Mapping

from chevet.bridge.packet import Packet
from chevet.devices.conditions import identity
from chevet.devices.counters import Counters, counted
from chevet.devices.errors import BrokenPayload
from chevet.devices.memory import Write
from chevet.devices.samples import Event, Notice, Reading
from chevet.devices.sfloat import sfloat

FLOAT_SPECIALS = frozenset({0x007FFFFE, 0x007FFFFF, 0x00800000, 0x00800001, 0x00800002})
"""+INF, NaN, "not at this resolution", reserved, -INF (IEEE 11073-20601): none of them is a number."""


def uuid(number: int) -> str:
    """Return the 128-bit form of a 16-bit UUID, as packets have it in `source`."""
    return f"0000{number:04x}-0000-1000-8000-00805f9b34fb"


BATTERY_LEVEL = uuid(0x2A19)
CURRENT_TIME = uuid(0x2A2B)
MANUAL_UPDATE = 0x01
"""Adjust reason of the Current Time Service."""
TEXTS = {uuid(0x2A29): "maker", uuid(0x2A24): "model", uuid(0x2A25): "serial", uuid(0x2A26): "firmware"}
"""Of the Device Information Service 0x180A."""
UNTOLD = frozenset(uuid(number) for number in (0x2A27, 0x2A28, 0x2A23, 0x2A50))
"""Hardware and software revision, System ID, PnP ID: taken, not told."""


def medical_float(word: int) -> float | None:
    """Return what the 32 bits of an IEEE 11073 FLOAT say, or None where they say that there is no number.

    The exponent (top byte) and the mantissa (low 24 bits) are two's complement.
    """
    if word in FLOAT_SPECIALS:
        return None
    exponent, mantissa = word >> 24, word & 0xFFFFFF
    exponent -= 256 if exponent >= 128 else 0
    mantissa -= 1 << 24 if mantissa >= 1 << 23 else 0
    return float(f"{mantissa}e{exponent}")


class Fields:
    """Reads a characteristic's value from front to back, little-endian."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._what = what
        self._at = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes.

        Raises:
            BrokenPayload: the value ends before.
        """
        part = self._data[self._at : self._at + size]
        if len(part) < size:
            raise BrokenPayload(self._what)
        self._at += size
        return part

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return len(self._data) - self._at

    def u8(self) -> int:
        """Return an unsigned byte."""
        return self.take(1)[0]

    def u16(self) -> int:
        """Return an unsigned number of 16 bits."""
        return int.from_bytes(self.take(2), "little")

    def s16(self) -> int:
        """Return a signed number of 16 bits."""
        return int.from_bytes(self.take(2), "little", signed=True)

    def sfloat(self) -> float | None:
        """Return an SFLOAT; None is "no number"."""
        return sfloat(self.u16())

    def medical_float(self) -> float | None:
        """Return a FLOAT; None is "no number"."""
        return medical_float(int.from_bytes(self.take(4), "little"))

    def date_time(self) -> datetime.datetime | None:
        """Return a Date Time of the device's own clock (it has no zone), None where it is not set."""
        year = self.u16()
        month, day, hour, minute, second = self.take(5)
        try:
            return datetime.datetime(year, month, day, hour, minute, second)
        except ValueError:
            return None


def current_time(now: datetime.datetime) -> bytes:
    """Return a Current Time: Date Time, weekday (Monday is 1), parts of a second, why it was set."""
    fraction = now.microsecond * 256 // 1_000_000
    date = now.year.to_bytes(2, "little") + bytes((now.month, now.day, now.hour, now.minute, now.second))
    return date + bytes((now.isoweekday(), fraction, MANUAL_UPDATE))


def device_time(packet: Packet) -> list[Event]:
    """Return what a device says about its clock; nothing where it is not set.

    Raises:
        BrokenPayload: it is no Current Time.
    """
    when = Fields(packet.data, "current_time").date_time()
    return [] if when is None else [Notice("device_time", packet.at, detail=when.isoformat())]


def taken(when: datetime.datetime | None) -> tuple[str, ...]:
    """Return the word that says when the device took a measurement, by its own clock."""
    return (f"taken={when.isoformat()}",) if when is not None else ()


def bit_words(bits: int, names: Mapping[int, str]) -> tuple[str, ...]:
    """Return the words of the bits that are set."""
    return tuple(word for bit, word in names.items() if bits >> bit & 1)


class About:
    """Device Information texts and battery level, of whatever device the link reads them from."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._battery: int | None = None

    def forget(self) -> None:
        """Begin anew with another connection."""
        self._texts.clear()
        self._battery = None

    def read(self, packet: Packet) -> list[Event] | None:
        """Return what the packet says, None when it is about something else.

        Raises:
            BrokenPayload: a battery level or a time that is none.
        """
        if packet.source in TEXTS:
            self._texts[TEXTS[packet.source]] = packet.data.decode("utf-8", "replace")
            return [Notice("identified", packet.at, detail=self._identity())]
        if packet.source == BATTERY_LEVEL:
            return self._level(packet)
        if packet.source == CURRENT_TIME:
            return device_time(packet)
        return [] if packet.source in UNTOLD else None

    def _identity(self) -> str:
        told = self._texts.get
        model = f"{told('maker', '')} {told('model', '')}"
        return identity(model, told("serial", ""), told("firmware", ""))

    def _level(self, packet: Packet) -> list[Event]:
        if not packet.data or packet.data[0] > 100:
            raise BrokenPayload("battery")
        self._battery, before = packet.data[0], self._battery
        if self._battery == before:
            return []
        return [Reading("battery", float(packet.data[0]), "%", packet.at)]


Reader = Callable[[bytes, float], list[Event]]
"""Reads one value that arrived at a host time; raises BrokenPayload."""


class GattDriver:
    """A driver made of readers, one for each characteristic; Device Information and battery come with it."""

    def __init__(self, name: str, instrument: str, readers: Mapping[str, Reader]) -> None:
        self.name = name
        self.instrument = instrument
        self.counters = Counters()
        self.about = About()
        self._readers = readers

    def start(self) -> bytes:
        """Return nothing: subscribing starts the device."""
        self.about.forget()
        return b""

    def set_clock(self, now: datetime.datetime) -> list[Write]:
        """Return what sets the device's clock, where it has one."""
        return [Write(CURRENT_TIME, current_time(now))]

    def tick(self, at: float) -> bytes:  # noqa: ARG002 (such a device needs nothing)
        """Return nothing."""
        return b""

    def stop(self) -> bytes:
        """Return nothing: closing the link stops the device."""
        return b""

    def feed(self, packet: Packet) -> list[Event]:
        """Take one value; never raises, whatever it is."""
        return counted(self._read, packet, self.counters)

    def _read(self, packet: Packet) -> list[Event]:
        told = self.about.read(packet)
        if told is not None:
            return told
        reader = self._readers.get(packet.source)
        if reader is None:
            raise BrokenPayload("source")
        return reader(packet.data, packet.at)
