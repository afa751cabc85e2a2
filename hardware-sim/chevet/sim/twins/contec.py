"""Contec CMS50, old and new.

Layouts: device-protocols notes section 2.3 (atbrask, timegrid, MarkMLl's captures), Contec's protocol V7.0
as Brad Martin's program has it, atbrask's blog for stored data of the old ones.
"""

from chevet.sim.twins.finger import Finger
from chevet.sim.twins.pace import Pace
from chevet.sim.twins.pulses import PulseMarks

RATE_HZ = 60.0
TOP = 127
SIGNAL = 6
BEEP_S = 0.1
"""How long the beep bit stands after a pulse's peak, assumed."""
KEEP_ALIVE_ENDS_S = 30.0
Stored = tuple[tuple[int, int], ...]
"""SpO2 and pulse rate of each second; 0 is "no finger"."""


class ContecOld:
    """CMS50D+ before 4.6: 60 frames a second by itself; stored data between `F5 F5` and `F6 F6 F6`."""

    baud = 19200

    def __init__(self, finger: Finger, now: float, stored: Stored = ()) -> None:
        self._finger = finger
        self._pulse = PulseMarks(finger, BEEP_S)
        self._stored = stored
        self._pace = Pace(RATE_HZ, now)
        self.restart(now)

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._pace.began

    def restart(self, now: float) -> None:
        """Power on."""
        self._pace.restart(now)
        self._heard = b""
        self._live = True

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """Hear the two commands it knows."""
        self._heard = (self._heard + data)[-8:]
        if self._heard.endswith(b"\xf5\xf5"):
            self._heard, self._live = b"", False
            return self._download()
        if self._heard.endswith(b"\xf6\xf6\xf6"):
            self._heard, self._live = b"", True
            self._pace.due(now)
        return []

    def _download(self) -> list[bytes]:
        length = 3 * len(self._stored) - 1
        size = bytes([0x80 | length >> 14 & 0x7F, 0x80 | length >> 7 & 0x7F, length & 0x7F])
        records = [bytes([0xF0 | rate >> 7, 0x80 | rate & 0x7F, spo2]) for spo2, rate in self._stored]
        return [b"\xf2\x80\x00" * 3, size, *records]

    def advance(self, now: float) -> list[bytes]:
        """Return the frames due; none while stored data is being read."""
        due = self._pace.due(now)
        return [self._frame(index) for index in due] if self._live else []

    def _frame(self, index: int) -> bytes:
        shown = self._finger.shown(index / RATE_HZ)
        (pleth,) = self._finger.wave(index, 1, RATE_HZ, TOP)
        rate = shown.pulse_rate or 0
        off = self._finger.off
        first = 0x80 | (0x10 if off else SIGNAL) | (0x40 if self._pulse.at(index / RATE_HZ) else 0)
        # The bar is the wave's upper four bits, as in captured frames.
        third = (0x40 if rate > 127 else 0) | (0x20 if shown.spo2 is None else 0) | pleth >> 3
        return bytes([first, pleth, third, rate % 128, shown.spo2 or 0])


def packet(kind: int, data: bytes) -> bytes:
    """Return a packet of the new ones: the bits 7 of `data` (at most 7 bytes) gathered in byte 1."""
    high = sum(1 << place for place, byte in enumerate(data) if byte > 127)
    return bytes([kind, 0x80 + high]) + bytes(byte | 0x80 for byte in data)


class ContecNew:
    """CMS50D+ from 4.6: silent until asked, live data ends 30 s after the last keep-alive.

    Attributes:
        kept_alive: keep-alives heard.
        padding: False leaves the padding of short packets out, as some devices do.
        refuse: reason with which `start live` is refused, 0 to take it.
        began: what it says of the stored recording's start, opaque bytes; b"" refuses the question.
        stored: its recording.
    """

    baud = 115200

    def __init__(self, finger: Finger, now: float, stored: Stored = (), model: str = "50D(A)+") -> None:
        self.kept_alive = 0
        self.padding = True
        self.refuse = 0
        self.began = bytes((0, 0, 25, 3, 14, 9))
        self._finger = finger
        self._pulse = PulseMarks(finger, BEEP_S)
        self.stored = stored
        self._model = model
        self._pace = Pace(RATE_HZ, now)
        self.restart(now)

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._pace.began

    def restart(self, now: float) -> None:
        """Power on."""
        self._pace.restart(now)
        self._heard = b""
        self._live = False
        self._alive_at = now

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """Obey commands: nine bytes that begin with 7D 81."""
        self._heard += data
        sent: list[bytes] = []
        while len(self._heard) >= 9:
            if self._heard[:2] != b"\x7d\x81":
                self._heard = self._heard[1:]
                continue
            sent += self._obey(self._heard[2], now)
            self._heard = self._heard[9:]
        return sent

    def _obey(self, command: int, now: float) -> list[bytes]:
        taken = [b"\x0c\x80"]
        match command:
            case 0xA1 if self.refuse:
                return [packet(0x0B, bytes([command, self.refuse]))]
            case 0xA1:
                self._live, self._alive_at = True, now
                self._pace.due(now)
                return taken
            case 0xA2 | 0xA7:
                self._live = False
                return taken
            case 0xAF:
                self.kept_alive += 1
                self._alive_at = now
                return []
            case 0xA4:
                size = (2 * len(self.stored)).to_bytes(4, "little")
                return [packet(0x08, bytes([0, 0]) + size)]
            case 0xA5 if self.began:
                return [packet(0x07, self.began), packet(0x12, self.began[::-1])]
            case 0xA6:
                return self._download() if self.stored else [packet(0x0B, bytes([command, 5]))]
            case 0xA8:
                return self._text(0x02, self._model)
            case 0xA9:
                return self._text(0x03, "CONTEC")
        return [packet(0x0B, bytes([command, 5]))]

    def _text(self, kind: int, text: str) -> list[bytes]:
        parts = [text[:6], text[6:12].ljust(6)] if len(text) > 6 else [text.ljust(6)]
        numbers = [*range(len(parts) - 1), 0xFF]
        return [
            packet(kind, bytes([number]) + part.encode()) for number, part in zip(numbers, parts, strict=True)
        ]

    def _download(self) -> list[bytes]:
        pairs = b"".join(bytes(pair) for pair in self.stored)
        packets = []
        for start in range(0, len(pairs), 6):
            part = pairs[start : start + 6]
            packets.append(packet(0x0F, part.ljust(6, b"\x00") if self.padding else part))
        return packets

    def advance(self, now: float) -> list[bytes]:
        """Return the packets due; the end of live data is announced."""
        due = self._pace.due(now)
        if not self._live:
            return []
        if now - self._alive_at > KEEP_ALIVE_ENDS_S:
            self._live = False
            return [packet(0x0D, bytes([0]))]
        return [self._frame(index) for index in due]

    def _frame(self, index: int) -> bytes:
        shown = self._finger.shown(index / RATE_HZ)
        (pleth,) = self._finger.wave(index, 1, RATE_HZ, TOP)
        if self._finger.off:  # as captured: probe error, all numbers empty
            return packet(0x01, bytes([0x84, 0x40, 0x10, 0, 0, 0xFF, 0xFF]))
        perfusion = 0xFFFF if shown.perfusion_pct is None else round(100 * shown.perfusion_pct)
        rate = 0xFF if shown.pulse_rate is None else shown.pulse_rate
        spo2 = 0x7F if shown.spo2 is None else shown.spo2
        first = SIGNAL | (0x40 if self._pulse.at(index / RATE_HZ) else 0)
        second = pleth | (0x80 if shown.spo2 is None else 0)  # searching
        data = bytes([first, second, 0x10 | pleth >> 3, rate, spo2]) + perfusion.to_bytes(2, "little")
        return packet(0x01, data)
