"""A Masimo Radical-7 with output "ASCII 1": one line a second from power-on.

Line: device-protocols notes section 2.6 (MD PnP). 9600 baud 8N1.
"""

from chevet.sim.twins.finger import Finger
from chevet.sim.twins.pace import Pace


class MasimoRadical7:
    """The monitor; without a finger it prints dashes and an exception word."""

    baud = 9600

    def __init__(self, finger: Finger, now: float, serial: str = "0000070986") -> None:
        self._finger = finger
        self._serial = serial
        self._pace = Pace(1.0, now)

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._pace.began

    def restart(self, now: float) -> None:
        """Power on."""
        self._pace.restart(now)

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """Ignore it."""
        del data, now
        return []

    def advance(self, now: float) -> list[bytes]:
        """Return the lines due."""
        return [self._line(second) for second in self._pace.due(now)]

    def _line(self, second: int) -> bytes:
        shown = self._finger.shown(float(second))
        at = 9 * 3600 + 30 * 60 + 5 + second
        clock = f"{at // 3600 % 24:02d}:{at // 60 % 60:02d}:{at % 60:02d}"
        spo2 = "---" if shown.spo2 is None else f"{shown.spo2:03d}"
        rate = "---" if shown.pulse_rate is None else f"{shown.pulse_rate:03d}"
        perfusion = "--.--" if shown.perfusion_pct is None else f"{shown.perfusion_pct:05.2f}"
        exception = "000001" if self._finger.off else "000000"
        line = f"03/14/25 {clock} SN={self._serial} SPO2={spo2}% BPM={rate} PI={perfusion}% SPCO=--.-% "
        line += f"SPMET=--.-% DESAT=-- PIDELTA=+-- PVI=--- ALARM=0000 EXC={exception}\r\n"
        return line.encode()
