"""OpenBCI Ganglion over Bluetooth: four channels at 200 Hz in notifications of 20 bytes.

`b` begins, `s` stops. Byte 0 numbers the notification and says how it is packed. Firmware 3: 0 to 99 hold
two sets of four 18-bit numbers (the upper bits of 24) and one byte of acceleration, 100 to 199 two sets of
19 bits. Firmware 2: 0 holds one set of four 24-bit numbers; 1 to 100 (18 bits) and 101 to 200 (19 bits) two
sets of differences, each to be subtracted from the set before, with the sign in the lowest bit. 201 to 205
hold an impedance as text that ends with "Z" (four channels and the reference). A step is 1.2 V / 8388607 /
1.5 / 51. Source: BrainFlow; OpenBCI's Ganglion library for the firmware's packing.

Link: ble:ADDRESS?notify=2d30c082-f39f-4ce6-923f-3484ea480596&write=2d30c083-f39f-4ce6-923f-3484ea480596
&read=2a28

Doubts: the firmware is told by the software revision (0x2A28), read once after opening; where it is missing,
3 is taken. Differences lose their lowest bit, so firmware 2 errs by up to 0.4 uV until the next whole set, at
most a second later; after a lost notification it says nothing until then, which is a gap. Its 18-bit
differences overflow above 0.49 mV in 5 ms, which the steepest QRS of a chest lead exceeds, and nothing in the
data tells. Which leads the channels are is up to the wiring: they are called CH1 to CH4. Acceleration is
left. Impedance comes only when another program had switched it on. Not tried on a real board.
"""

import numpy as np
from numpy.typing import NDArray

from chevet.bridge.packet import Packet
from chevet.devices.conditions import identity
from chevet.devices.counters import Counters, counted
from chevet.devices.errors import BrokenPayload
from chevet.devices.gatt import About, uuid
from chevet.devices.sample_line import SampleLine
from chevet.devices.samples import Channel, Event, Notice, Reading, Samples
from chevet.devices.startup import Startup, Step

NOTIFY = "2d30c082-f39f-4ce6-923f-3484ea480596"
SOFTWARE = uuid(0x2A28)
BEGIN, STOP = b"b", b"s"
RATE_HZ = 200.0
STEP_MV = 1200 / (2**23 - 1) / 1.5 / 51
CHANNELS = tuple(Channel(f"CH{number}", "mV", RATE_HZ, STEP_MV) for number in range(1, 5))
BLOCK_SAMPLES = 8
PACKET_BYTES = 20
ROUND_V3, ROUND_V2 = 100, 101
"""Notifications until their numbers begin again."""
SETS_V3, SETS_V2 = 2 * ROUND_V3, 2 * ROUND_V2 - 1
IMPEDANCE = range(201, 206)
REFERENCE = 205


class Ganglion:
    """Starts the board and reads its four channels (int32), whichever way they are packed.

    Events: SampleBlocks, `lost_samples`, readings impedance (Ohm; word "channel=1" or "reference"),
    `identified`.
    """

    name = "ganglion"
    instrument = "ecg"

    def __init__(self) -> None:
        self.counters = Counters()
        self._lines = {
            3: SampleLine(CHANNELS, self.counters, BLOCK_SAMPLES, modulus=SETS_V3, dtype=np.int32),
            2: SampleLine(CHANNELS, self.counters, BLOCK_SAMPLES, modulus=SETS_V2, dtype=np.int32),
        }
        self._startup = Startup((Step(BEGIN, 2.0),))
        self._about = About()
        self.start()

    def start(self) -> bytes:
        """Return `b`."""
        for line in self._lines.values():
            line.restart()
        self._about.forget()
        self._firmware = 3
        self._set: NDArray[np.int64] | None = None  # firmware 2: the set that differences start from
        self._number = -1
        self._before = b""
        return self._startup.begin()

    def tick(self, at: float) -> bytes:
        """Return `b` again while nothing comes."""
        return self._startup.due(at)

    def stop(self) -> bytes:
        """Return `s`."""
        return STOP

    def feed(self, packet: Packet) -> list[Event]:
        """Take one notification; never raises, whatever it is."""
        return counted(self._read, packet, self.counters)

    def _read(self, packet: Packet) -> list[Event]:
        if packet.source == SOFTWARE:
            return [self._revision(packet.data.decode("utf-8", "replace"), packet.at)]
        if packet.source != NOTIFY:
            events = self._about.read(packet)
            if events is None:
                raise BrokenPayload("source")
            return events
        number = packet.data[0] if packet.data else 255
        if number in IMPEDANCE:
            return [_impedance(packet.data, packet.at)]
        if len(packet.data) != PACKET_BYTES or number > 199 + (self._firmware == 2):
            raise BrokenPayload("packet")
        self._startup.hear(packet.at)
        if packet.data == self._before:
            return []  # the same notification again
        self._before = packet.data
        return self._whole(packet) if self._firmware == 3 else self._differences(packet)

    def _revision(self, text: str, at: float) -> Notice:
        self._firmware = 2 if text.strip().lstrip("vV").startswith("2") else 3
        return Notice("identified", at, detail=identity("OpenBCI Ganglion", "", text))

    def _whole(self, packet: Packet) -> list[Event]:
        number = packet.data[0]
        width = 18 if number < ROUND_V3 else 19
        values = _numbers(packet.data, width)
        values = np.where(values >> width - 1, values - (1 << width), values) << 24 - width
        counter = number % ROUND_V3 * 2
        return self._add(values.reshape(2, 4).T, packet.at, counter)

    def _differences(self, packet: Packet) -> list[Event]:
        number = (packet.data[0] - 1) % 100 + 1 if packet.data[0] else 0
        follows = number == (self._number + 1) % ROUND_V2
        self._number = number
        if number == 0:
            self._set = _int24(packet.data[1:13])
            return self._add(self._set[:, np.newaxis], packet.at, 0)
        if self._set is None or not follows:
            self._set = None
            return []  # without the set before, differences say nothing
        width = 18 if packet.data[0] <= 100 else 19
        bits = _numbers(packet.data, width)
        negative = bits & 1  # the sign is kept in the lowest bit
        steps = (bits - negative - (negative << width)).reshape(2, 4)
        first = self._set - steps[0]
        self._set = first - steps[1]
        return self._add(np.stack((first, self._set), axis=1), packet.at, 2 * number - 1)

    def _add(self, values: Samples, at: float, counter: int) -> list[Event]:
        return self._lines[self._firmware].add(values, at, counter=counter)


def _numbers(data: bytes, width: int) -> NDArray[np.int64]:
    """Return the eight unsigned numbers of `width` bits from byte 1 on."""
    whole = int.from_bytes(data[1 : 1 + width], "big")
    return np.array([whole >> width * place & (1 << width) - 1 for place in range(7, -1, -1)], np.int64)


def _int24(data: bytes) -> NDArray[np.int64]:
    parts = np.frombuffer(data, np.uint8).reshape(-1, 3).astype(np.int64)
    values: NDArray[np.int64] = ((parts[:, 0] ^ 0x80) - 0x80) << 16 | parts[:, 1] << 8 | parts[:, 2]
    return values


def _impedance(data: bytes, at: float) -> Reading:
    text, end, _ = data[1:].partition(b"Z")
    if not end or not text.isdigit() or len(text) > 8:
        raise BrokenPayload("impedance")
    place = "reference" if data[0] == REFERENCE else f"channel={data[0] - 200}"
    return Reading("impedance", float(text), "Ohm", at, (place,))
