"""A BITalino (r)evolution: silent until told to start, by one-byte commands.

Commands and frames: device-protocols notes section 3.5 (BITalino's own interface library).
"""

from chevet.sim.twins.ecg_body import Chest
from chevet.sim.twins.pace import Pace

VERSION = b"BITalino_v5.2\n"
RATES = (1.0, 10.0, 100.0, 1000.0)
WIDTHS = (10, 10, 10, 10, 6, 6)
BETWEEN_S = 0.09
"""Commands that follow each other faster are not heard (the library waits 100 ms)."""
ECG_INPUT = 2
GAIN = 1100.0
SUPPLY_UV = 3.3e6


class BitalinoBoard:
    """The board with an ECG sensor in A2 and nothing in the other inputs."""

    baud = 115200

    def __init__(self, chest: Chest, now: float) -> None:
        self.chest = chest
        self.restart(now)

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._pace.began

    def restart(self, now: float) -> None:
        """Power on: idle."""
        self._rate_hz = RATES[3]
        self._inputs: tuple[int, ...] = ()
        self._pace = Pace(self._rate_hz, now)
        self._heard_at = now - 1.0

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """Obey the first command; what comes too soon after it is lost."""
        if not data or now - self._heard_at < BETWEEN_S:
            return []
        self._heard_at = now
        command = data[0]
        if command == 0:
            self._inputs = ()
        elif command == 7 and not self._inputs:
            return [VERSION]
        elif command & 3 == 3:
            self._rate_hz = RATES[command >> 6]
        elif command & 3 == 1:
            self._inputs = tuple(number for number in range(1, 7) if command >> 2 >> number - 1 & 1)
            self._pace = Pace(self._rate_hz, now)
        return []

    def advance(self, now: float) -> list[bytes]:
        """Return the frames due."""
        due = self._pace.due(now)
        if not self._inputs or not due:
            return []
        ecg = self.samples(due.start, len(due))
        return [
            frame(index % 16, [value if number == ECG_INPUT else 0 for number in self._inputs])
            for index, value in zip(due, ecg, strict=True)
        ]

    def samples(self, first: int, count: int) -> list[int]:
        """Return what the converter makes of the amplified ECG, 0 to 1023."""
        volts = self.chest.microvolts(("II",), first, count, self._rate_hz)[0] * GAIN
        return [min(1023, max(0, round((value / SUPPLY_UV + 0.5) * 1023))) for value in volts]


def frame(sequence: int, values: list[int]) -> bytes:
    """Return a frame of one to six inputs.

    Args:
        sequence: 0 to 15.
        values: 10 bits each, the fifth and sixth 6 bits.
    """
    bits = f"{sequence:04b}0000" + "0000"
    bits += "".join(f"{value:0{width}b}" for value, width in zip(values, WIDTHS, strict=False))
    bits = bits.ljust(-(-len(bits) // 8) * 8, "0")
    backwards = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    data = bytearray(reversed(backwards))
    data[-1] |= crc4(bytes(data))
    return bytes(data)


def crc4(data: bytes) -> int:
    """Return the remainder of all bits divided by x^4 + x + 1, the CRC's own place being 0."""
    remainder = 0
    for bit in "".join(f"{byte:08b}" for byte in data):
        remainder = remainder << 1 | int(bit)
        if remainder & 16:
            remainder = (remainder & 15) ^ 3
    return remainder
