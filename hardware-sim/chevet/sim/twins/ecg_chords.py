"""An Arduino UNO R3 with the Chords firmware and an amplifier at A0.

Commands and frames: device-protocols notes section 3.6, UNO-R3.ino. Opening the port restarts the board,
whose loader hears nothing for a while; any byte that arrives while it streams stops the stream.
"""

from chevet.sim.twins.ecg_body import Chest
from chevet.sim.twins.pace import Pace

RATE_HZ = 250.0
LOADER_S = 1.6
GAIN = 1100.0
SUPPLY_UV = 5e6


class ChordsUno:
    """The board from the moment its port is opened on.

    Attributes:
        name: what it answers to WHORU.
    """

    baud = 230400

    def __init__(self, chest: Chest, now: float, name: str = "UNO-R3") -> None:
        self.chest = chest
        self.name = name
        self.restart(now)

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._pace.began

    def restart(self, now: float) -> None:
        """Power on, or open the port: the loader runs first."""
        self._ready_at = now + LOADER_S
        self._streaming = False
        self._pace = Pace(RATE_HZ, now)
        self._line = bytearray()
        self._counter = 0

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """Obey lines; return what is printed."""
        if not data or now < self._ready_at:
            return []
        self._streaming = False
        self._line += data
        *lines, rest = self._line.split(b"\n")
        self._line = bytearray(rest)
        return [answer for line in lines if (answer := self._obey(bytes(line).strip().upper(), now))]

    def _obey(self, command: bytes, now: float) -> bytes:
        match command:
            case b"WHORU":
                return self.name.encode() + b"\r\n"
            case b"START":
                self._streaming = True
                self._pace.restart(now)
                return b""
            case b"STOP":
                return b""
            case b"STATUS":
                return b"STOPPED\r\n"
        return b"UNKNOWN COMMAND\r\n"

    def advance(self, now: float) -> list[bytes]:
        """Return the frames due."""
        due = self._pace.due(now)
        if not self._streaming or not due:
            return []
        return [self._frame(value) for value in self.samples(due.start, len(due))]

    def samples(self, first: int, count: int) -> list[int]:
        """Return what the converter makes of the amplified ECG, 0 to 1023."""
        volts = self.chest.microvolts(("II",), first, count, RATE_HZ)[0] * GAIN
        return [min(1023, max(0, round((value / SUPPLY_UV + 0.5) * 1023))) for value in volts]

    def _frame(self, value: int) -> bytes:
        self._counter = (self._counter + 1) % 256
        inputs = (value, 512, 0, 1023, 300, 301)
        data = b"".join(one.to_bytes(2, "big") for one in inputs)
        return bytes((0xC7, 0x7C, self._counter)) + data + b"\x01"
