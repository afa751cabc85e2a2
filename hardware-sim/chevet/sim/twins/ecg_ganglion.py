"""An OpenBCI Ganglion: silent until `b`, then two sample sets a notification, packed as its firmware does.

Packing: device-protocols notes section 3.4 (BrainFlow; OpenBCI's Ganglion library).
"""

from collections.abc import Sequence

from chevet.sim.twins import gatt
from chevet.sim.twins.ecg_body import Chest, steps
from chevet.sim.twins.gatt import NOTIFY, READ, WRITE, Sent, Service, characteristic, sig

SERVICE = sig(0xFE84)
NOTIFIES = "2d30c082-f39f-4ce6-923f-3484ea480596"
WRITES = "2d30c083-f39f-4ce6-923f-3484ea480596"
RATE_HZ = 200.0
STEP_UV = 1.2e6 / 8388607 / 1.5 / 51
LEADS = ("I", "II", "V1", "V5")


class GanglionBoard:
    """The board with firmware 2 or 3.

    Attributes:
        fine: 19 bits a number and no acceleration.
        testing: it measures impedances instead.
        lost: this many further notifications never leave.
    """

    name = "Ganglion-5e1f"
    linger_s = 0.0

    def __init__(self, chest: Chest, now: float, firmware: int = 3) -> None:
        revision = characteristic(sig(0x2A28), READ, value=f"{firmware}.0.1".encode())
        self.services: tuple[Service, ...] = (
            Service(SERVICE, (characteristic(NOTIFIES, NOTIFY), characteristic(WRITES, WRITE))),
            Service(sig(gatt.DEVICE_INFORMATION), (revision,), advertised=False),
        )
        self.chest = chest
        self.firmware = firmware
        self.fine = False
        self.testing = False
        self.lost = 0
        self.connected(now)

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._since

    def connected(self, now: float) -> None:
        """Wait for `b`."""
        self._since = now
        self._streaming = False
        self._number = 0
        self._sent = 0

    def written(self, uuid: str, data: bytes, now: float) -> list[Sent]:
        """Obey letters."""
        for letter in data if uuid == WRITES else b"":
            self._streaming = letter == ord("b") or (self._streaming and letter != ord("s"))
            if letter == ord("b"):
                self._since, self._number, self._sent = now, 0, 0
        return []

    def advance(self, now: float) -> list[Sent]:
        """Return the notifications due."""
        sent: list[Sent] = []
        while self._streaming and (now - self._since) * RATE_HZ >= self._sent + 2:
            value = self._packet()
            if self.lost:
                self.lost -= 1
            else:
                sent.append((NOTIFIES, value))
        return sent

    def samples(self, first: int, count: int) -> list[tuple[int, ...]]:
        """Return converter steps, one tuple of four channels a sample."""
        measured = steps(self.chest, LEADS, first, count, RATE_HZ, STEP_UV)
        return [tuple(int(value) for value in column) for column in measured.T]

    def _packet(self) -> bytes:
        if self.testing:
            self._sent += 2
            return bytes((201 + self._sent // 2 % 5,)) + b"%dZ\n" % 12
        return self._whole() if self.firmware == 3 else self._differences()

    def _whole(self) -> bytes:
        width = 19 if self.fine else 18
        values = [value >> 24 - width for column in self.samples(self._sent, 2) for value in column]
        number = self._number % 100 + (100 if self.fine else 0)
        self._number += 1
        self._sent += 2
        return packed(number, values, width)

    def _differences(self) -> bytes:
        place = self._number % 101
        self._number += 1
        if place == 0:
            (column,) = self.samples(self._sent, 1)
            self._sent += 1
            whole = b"".join(value.to_bytes(3, "big", signed=True) for value in column)
            return (bytes(1) + whole).ljust(20, b"\x00")
        width = 19 if self.fine else 18
        columns = self.samples(self._sent - 1, 3)
        steps_down = [
            before - after
            for old, new in ((columns[0], columns[1]), (columns[1], columns[2]))
            for before, after in zip(old, new, strict=True)
        ]
        signed = [step & ~1 | (step < 0) for step in steps_down]
        self._sent += 2
        return packed(place + (100 if self.fine else 0), signed, width)


def packed(number: int, values: Sequence[int], width: int) -> bytes:
    """Return a notification of eight numbers of `width` bits; 18-bit ones leave room for acceleration."""
    bits = "".join(f"{value % (1 << width):0{width}b}" for value in values)
    return (bytes((number,)) + int(bits, 2).to_bytes(width, "big")).ljust(20, b"\x11")
