"""An OpenBCI Cyton behind its dongle: silent until reset and started, by single letters.

Commands, banner and frames: device-protocols notes section 3.4 (BrainFlow, OpenBCI).
"""

from chevet.sim.twins.ecg_body import EIGHT, Chest, int24, steps
from chevet.sim.twins.pace import Pace

STEP_UV = 4.5e6 / 24 / 8388607
RATE_HZ = 250.0
OFFSET_UV = -23_000
BANNER = (
    "OpenBCI V3 8-16 channel\nOn Board ADS1299 Device ID: 0x3E\nLIS3DH Device ID: 0x33\nFirmware: v3.1.2\n$$$"
)
DEFAULTS = "updating channel settings to default$$$"
FAILURE = "Failure: Communications timeout - Device failed to poll Host$$$"


class CytonBoard:
    """The board; while `off`, its dongle answers that it cannot be heard.

    Attributes:
        off: the board is switched off, the dongle is not.
    """

    baud = 115200

    def __init__(self, chest: Chest, now: float) -> None:
        self.chest = chest
        self.off = False
        self.restart(now)

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._pace.began

    def restart(self, now: float) -> None:
        """Power on: silence."""
        self._pace = Pace(RATE_HZ, now)
        self._streaming = False
        self._begun = 0

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """Obey letter by letter; return what is printed."""
        return [text.encode() for byte in data if (text := self._obey(chr(byte), now))]

    def _obey(self, letter: str, now: float) -> str:
        if self.off:
            return FAILURE
        if letter == "s":
            self._streaming = False
        elif self._streaming:
            pass  # only `s` is heard while it streams
        elif letter == "b":
            self._streaming = True
            self._pace.restart(now)
        return {"v": BANNER, "d": DEFAULTS}.get(letter, "") if not self._streaming else ""

    def advance(self, now: float) -> list[bytes]:
        """Return the frames due."""
        due = self._pace.due(now)
        if self.off or not self._streaming or not due:
            return []
        values = self.samples(due.start, len(due))
        return [_frame(index, column) for index, column in zip(due, values, strict=True)]

    def samples(self, first: int, count: int) -> list[tuple[int, ...]]:
        """Return what the board converts, one tuple of eight a sample."""
        values = steps(self.chest, EIGHT, first, count, RATE_HZ, STEP_UV) + round(OFFSET_UV / STEP_UV)
        for row, lead in enumerate(EIGHT):
            if lead in self.chest.off:
                values[row] = -0x800000
        return [tuple(int(value) for value in column) for column in values.T]


def _frame(index: int, column: tuple[int, ...]) -> bytes:
    gravity = b"\x00\x00\x00\x00\x20\x00" if index % 10 == 0 else bytes(6)
    return bytes((0xA0, index % 256)) + b"".join(int24(value) for value in column) + gravity + b"\xc0"
