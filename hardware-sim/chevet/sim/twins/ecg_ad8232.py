"""An Arduino that prints what an AD8232 gives, as SparkFun's example sketch does.

Lines: device-protocols notes section 3.6. The sketch has no clock: a line leaves when the line before it has
been sent, ten bits a character.
"""

from chevet.sim.twins.ecg_body import Chest

GAIN = 1100.0
SUPPLY_UV = 3.3e6
CATCH_UP_S = 0.5


class Ad8232Sketch:
    """The sketch from power-on on."""

    baud = 9600

    def __init__(self, chest: Chest, now: float) -> None:
        self.chest = chest
        self.restart(now)

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._powered_at

    def restart(self, now: float) -> None:
        """Power on."""
        self._powered_at = self._free_at = now

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """Listen to nothing."""
        del data, now
        return []

    def advance(self, now: float) -> list[bytes]:
        """Return the lines that have been sent by now."""
        if now - self._free_at > CATCH_UP_S:
            self._free_at = now - CATCH_UP_S
        lines: list[bytes] = []
        while True:
            line = self._line(self._free_at - self._powered_at)
            sent_at = self._free_at + len(line) * 10 / self.baud
            if sent_at > now:
                return lines
            lines.append(line)
            self._free_at = sent_at

    def _line(self, at_s: float) -> bytes:
        if "II" in self.chest.off:
            return b"!\r\n"
        microvolts = float(self.chest.microvolts(("II",), round(at_s * 500), 1, 500.0)[0, 0])
        value = round((microvolts * GAIN / SUPPLY_UV + 0.5) * 1023)
        return b"%d\r\n" % min(1023, max(0, value))
