"""Heart rate straps and watches with the Bluetooth SIG's Heart Rate Service 0x180D.

About one notification (0x2A37) a second: heart rate, and the intervals between beats since the last one in
1/1024 s, oldest first. Watches compute theirs from light; their intervals are those of the pulse.

Doubts: many straps do not say whether they touch skin; then a rate left over from before cannot be told.
"""

from chevet.bridge.packet import Packet
from chevet.devices.conditions import Conditions, reading
from chevet.devices.gatt import Fields, GattDriver, uuid
from chevet.devices.samples import Event

MEASUREMENT, LOCATION = uuid(0x2A37), uuid(0x2A38)
WIDE, CONTACT, CONTACT_KNOWN, ENERGY, INTERVALS = (1 << bit for bit in range(5))
HIGHEST_RATE = 321.0
LONGEST_MS = 5000.0


class HeartRate:
    """Reads heart_rate (/min) and rr_interval (ms) of each beat; `sensor_off` while there is no contact."""

    name = "heart-rate"
    instrument = "heart_rate"

    def __init__(self) -> None:
        readers = {MEASUREMENT: self._measurement, LOCATION: _location}
        self._gatt = GattDriver(self.name, self.instrument, readers)
        self.counters = self._gatt.counters
        self._conditions = Conditions()

    def start(self) -> bytes:
        """Return nothing: subscribing starts the device."""
        self._conditions.forget()
        return self._gatt.start()

    def tick(self, at: float) -> bytes:
        """Return nothing."""
        return self._gatt.tick(at)

    def stop(self) -> bytes:
        """Return nothing: closing the link stops the device."""
        return self._gatt.stop()

    def feed(self, packet: Packet) -> list[Event]:
        """Take one notification; never raises, whatever it is."""
        return self._gatt.feed(packet)

    def _measurement(self, data: bytes, at: float) -> list[Event]:
        fields = Fields(data, "heart_rate")
        flags = fields.u8()
        rate = fields.u16() if flags & WIDE else fields.u8()
        if flags & ENERGY:
            fields.u16()
        intervals = [fields.u16() for _ in range(fields.left // 2)] if flags & INTERVALS else []
        off = bool(flags & CONTACT_KNOWN) and not flags & CONTACT
        words = ("sensor_not_on_user",) * off
        events = self._conditions.tell({"sensor_off": off}, at)
        events.append(
            reading("heart_rate", None if off or not rate else rate, HIGHEST_RATE, "/min", at, words)
        )
        if not off:
            events += [
                reading("rr_interval", ticks * 1000 / 1024, LONGEST_MS, "ms", at) for ticks in intervals
            ]
        return events


def _location(data: bytes, at: float) -> list[Event]:
    """Read where the strap is made to be worn; nothing here depends on it."""
    del at
    Fields(data, "location").u8()
    return []
