"""A Wellue ER1: says nothing unless asked, then what it measured since, in one long notification.

Frames: device-protocols notes section 3.7.
"""

import struct

from chevet.sim.twins import gatt
from chevet.sim.twins.ecg_body import Chest, steps, vitals_of
from chevet.sim.twins.gatt import NOTIFY, WRITE, Sent, Service, characteristic
from chevet.sim.twins.pace import Pace

SERVICE = "14839ac4-7d7e-415c-9a42-167340cf2339"
NOTIFIES = "0734594a-a8e7-4b1a-a6b1-cd5243059a57"
WRITES = "8b00ace7-eb0b-49b0-bbe9-9aee0a26e1a3"
RATE_HZ = 125.0
STEP_UV = 1.0035 * 1800 / (4096 * 178.74) * 1000
KEPT_S = 2.0
"""What it keeps for the next question, assumed."""
PART_BYTES = 244
"""A notification's payload at the MTU of 247 that its app asks for."""


class Er1Recorder:
    """The device.

    Attributes:
        deaf: it does not answer at all.
    """

    name = "ER1 0001"
    linger_s = 0.0

    def __init__(self, chest: Chest, now: float, battery: int = 77) -> None:
        self.services: tuple[Service, ...] = (
            Service(SERVICE, (characteristic(NOTIFIES, NOTIFY), characteristic(WRITES, WRITE))),
        )
        self.chest = chest
        self.battery = battery
        self.deaf = False
        self._pace = Pace(RATE_HZ, now, KEPT_S)
        self._powered_at = now
        self._heard = b""

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._pace.began

    def connected(self, now: float) -> None:
        """Forget what was heard and measured before."""
        self._heard = b""
        self._pace.due(now)

    def advance(self, now: float) -> list[Sent]:
        """Say nothing by itself."""
        del now
        return []

    def written(self, uuid: str, data: bytes, now: float) -> list[Sent]:
        """Answer each whole request, however it was cut."""
        self._heard += data if uuid == WRITES else b""
        sent: list[Sent] = []
        while len(self._heard) >= 8:
            size = 8 + int.from_bytes(self._heard[5:7], "little")
            if self._heard[0] != 0xA5 or self._heard[1] + self._heard[2] != 255:
                self._heard = self._heard[1:]
                continue
            if len(self._heard) < size:
                break
            request, self._heard = self._heard[:size], self._heard[size:]
            if remainder(request) == 0 and request[1] == 0x03 and not self.deaf:
                sent += gatt.in_parts(NOTIFIES, self._answer(request[4], now), PART_BYTES)
        return sent

    def _answer(self, sequence: int, now: float) -> bytes:
        due = self._pace.due(now)
        values = self.samples(due.start, len(due)) if due else []
        off = "ECG" in self.chest.off
        head = struct.pack(
            "<HBBI",
            0 if off else vitals_of(self.chest).heart_rate(),
            0,
            self.battery,
            int(now - self._powered_at),
        )
        data = head + bytes((0x07 if off else 0x01,)) + bytes(11) + struct.pack("<H", len(values))
        data += struct.pack(f"<{len(values)}h", *values)
        frame = bytes((0xA5, 0x03, 0xFC, 0x01, sequence)) + len(data).to_bytes(2, "little") + data
        return frame + bytes((remainder(frame + b"\x00"),))

    def samples(self, first: int, count: int) -> list[int]:
        """Return converter steps."""
        return [int(value) for value in steps(self.chest, ("I",), first, count, RATE_HZ, STEP_UV)[0]]


def remainder(data: bytes) -> int:
    """Return the remainder of `data` as a polynomial over GF(2) divided by x^8 + x^2 + x + 1."""
    rest = 0
    for byte in data:
        for place in range(7, -1, -1):
            rest = rest << 1 | byte >> place & 1
            if rest > 0xFF:
                rest ^= 0x107
    return rest
