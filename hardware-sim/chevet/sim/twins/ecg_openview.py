"""ProtoCentral's boards, which stream OpenView frames from power-on on.

Layouts: device-protocols notes section 3.2 (ProtoCentral's firmware).
"""

import struct
from collections.abc import Callable

from chevet.sim.twins.ecg_body import Chest, steps, vitals_of
from chevet.sim.twins.pace import Pace

INFRARED, RED = 123456, 234567
"""Steps of the mean light, those of the reference's frame."""
AMBIENT = 0.02
"""What reaches an open probe's sensor, against the mean light."""
BREATH = 400
"""Steps between empty and full lungs, assumed."""
ADS1292R_UV = 2.42e6 / 12 / 8388607 * 256
MAX30001_UV = 1e6 / 131072 / 20


def framed(kind: int, payload: bytes) -> bytes:
    """Return a frame: 0A FA, length, type, payload, 00 0B."""
    return struct.pack("<BBHB", 0x0A, 0xFA, len(payload), kind) + payload + b"\x00\x0b"


class OpenViewBoard:
    """Streams one ECG sample of lead II a frame, from power-on on.

    Attributes:
        probe_off: the oximeter's probe is open.
    """

    def __init__(
        self,
        chest: Chest,
        now: float,
        encode: "Encode",
        *,
        rate_hz: float = 125.0,
        step_uv: float = ADS1292R_UV,
        baud: int = 115200,
        banner: bytes = b"",
    ) -> None:
        self.baud = baud
        self.probe_off = False
        self.chest = chest
        self._encode = encode
        self._step_uv = step_uv
        self._banner = banner
        self._pace = Pace(rate_hz, now)
        self.restart(now)

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._pace.began

    def restart(self, now: float) -> None:
        """Power on."""
        self._pace.restart(now)
        self._greeting = self._banner

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """Listen to nothing."""
        del data, now
        return []

    def advance(self, now: float) -> list[bytes]:
        """Return the frames due."""
        greeting, self._greeting = self._greeting, b""
        frames = [greeting] if greeting else []
        for index in self._pace.due(now):
            frames += self._encode(self, index)
        return frames

    def samples(self, first: int, count: int) -> list[int]:
        """Return what the board measures."""
        measured = steps(self.chest, ("II",), first, count, self._pace.rate_hz, self._step_uv)[0]
        return [int(value) for value in measured]

    def filtered(self, index: int) -> int:
        """Return what boards with an ADS1292R send: 0 while the lead is off."""
        return 0 if self.lead_off else self.samples(index, 1)[0]

    def breath(self, index: int, rest: int) -> int:
        """Return the impedance of the chest, `rest` when the lungs are empty."""
        return rest + round(BREATH * vitals_of(self.chest).lung_filling(index / self._pace.rate_hz))

    def respiration(self, index: int) -> int:
        """Return what boards with an ADS1292R send: 0 while the lead is off."""
        return 0 if self.lead_off else self.breath(index, 35)

    def light(self, index: int) -> tuple[int, int]:
        """Return infrared and red light; the room's alone while the probe is open."""
        if self.probe_off:
            return round(AMBIENT * INFRARED), round(AMBIENT * RED)
        red, infrared = vitals_of(self.chest).light(index, 1, self._pace.rate_hz)[:, 0]
        return round(INFRARED * infrared), round(RED * red)

    def numbers(self) -> tuple[int, int, int, int]:
        """Return breaths and beats a minute, saturation in per cent and temperature in hundredths."""
        vitals = vitals_of(self.chest)
        rate, temperature = vitals.heart_rate(), round(100 * vitals.temperature_cel())
        return vitals.breaths(), rate, vitals.spo2(), temperature

    @property
    def lead_off(self) -> bool:
        """Whether an electrode of lead II is off."""
        return "II" in self.chest.off


Encode = Callable[[OpenViewBoard, int], list[bytes]]
"""Makes the frames that end with the given sample."""


def healthypi_v3(chest: Chest, now: float) -> OpenViewBoard:
    """Version 3: one status byte, infrared shifted up by ten bits."""

    def encode(board: OpenViewBoard, index: int) -> list[bytes]:
        breaths, rate, spo2, warm = board.numbers()
        spo2 = -999 & 0xFF if board.probe_off else spo2
        infrared, red = board.light(index)
        shown = board.filtered(index), board.respiration(index)
        head = struct.pack("<hhiih", *shown, infrared << 10, red, warm)
        status = board.lead_off | board.probe_off << 1
        return [framed(2, head + bytes((breaths, spo2, rate, 80, 70, status)))]

    return OpenViewBoard(chest, now, encode)


def healthypi_v4(chest: Chest, now: float) -> OpenViewBoard:
    """Version 4: two dummies of a blood pressure, and the lead status."""

    def encode(board: OpenViewBoard, index: int) -> list[bytes]:
        breaths, rate, spo2, warm = board.numbers()
        shown = board.filtered(index), board.respiration(index)
        head = struct.pack("<hhiih", *shown, *board.light(index), warm)
        return [framed(2, head + bytes((breaths, spo2, rate, 80, 120, board.lead_off)))]

    return OpenViewBoard(chest, now, encode)


def healthypi_v5(chest: Chest, now: float) -> OpenViewBoard:
    """HealthyPi 5 in OpenView mode."""

    def encode(board: OpenViewBoard, index: int) -> list[bytes]:
        sample = board.samples(index, 1)[0]
        breaths, rate, spo2, warm = board.numbers()
        # BioZ is sampled half as fast: every second frame repeats it and says so. RED stands before IR.
        infrared, red = board.light(index)
        zed, repeats = board.breath(index - index % 2, 350), 0xFF if index % 2 else 0
        head = struct.pack("<iiBiih", sample, zed, repeats, red, infrared, warm)
        return [framed(2, head + bytes((spo2, rate, breaths)))]

    return OpenViewBoard(chest, now, encode, rate_hz=128.0, step_uv=MAX30001_UV)


def healthypi_v5_ov3(chest: Chest, now: float) -> OpenViewBoard:
    """HealthyPi 5 in OV3 mode: eight samples a frame, light in frames of its own."""

    def encode(board: OpenViewBoard, index: int) -> list[bytes]:
        if index % 8 != 7:
            return []
        breaths, rate, spo2, temperature = board.numbers()
        numbers = bytes((rate, breaths))
        zed = [board.breath(place, 350) for place in range(index - 7, index + 1, 2)]
        ecg = struct.pack("<8i4i", *board.samples(index - 7, 8), *zed)
        warm = temperature >> 8  # the firmware sends the high byte twice
        light = struct.pack(
            "<8h", *(board.light(place)[0] >> 4 for place in range(index - 7, index + 1))
        ) + bytes((spo2, warm, warm))
        return [framed(3, ecg + numbers), framed(4, light)]

    return OpenViewBoard(chest, now, encode, rate_hz=128.0, step_uv=MAX30001_UV)


def ads1292r_breakout(chest: Chest, now: float) -> OpenViewBoard:
    """The ADS1292R breakout's example sketch: a line of text, then short frames."""

    def encode(board: OpenViewBoard, index: int) -> list[bytes]:
        breaths, rate, _, _ = board.numbers()
        return [
            framed(
                2, struct.pack("<hhHHB", board.filtered(index), board.respiration(index), breaths, rate, 0)
            )
        ]

    return OpenViewBoard(chest, now, encode, baud=57600, banner=b"Initiliziation is done\r\n")
