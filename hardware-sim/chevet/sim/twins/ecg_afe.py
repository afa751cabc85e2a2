"""Microcontrollers that pass on the raw frames of a TI front end from power-on on.

Layouts: device-protocols notes section 3.3 (ADS1292R and ADS1298 data sheets); registers as after reset.
"""

from collections.abc import Callable

from chevet.sim.twins.ecg_body import EIGHT, Chest, int24, steps
from chevet.sim.twins.pace import Pace

ADS1298_UV = 2.4e6 / 6 / 8388607
ADS1292R_UV = 2.42e6 / 6 / 8388607
OFFSET_UV = 41_000
"""What the electrodes themselves add; it does not fit into 16 bits of such small steps."""
TOP = 0x7FFFFF


class AfeBoard:
    """A chip that streams 24-bit samples of `leads` at 500 Hz."""

    rate_hz = 500.0

    def __init__(
        self, chest: Chest, now: float, leads: tuple[str, ...], step_uv: float, encode: "Encode", baud: int
    ) -> None:
        self.baud = baud
        self.chest = chest
        self.leads = leads
        self._step_uv = step_uv
        self._encode = encode
        self._pace = Pace(self.rate_hz, now)

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._pace.began

    def restart(self, now: float) -> None:
        """Power on."""
        self._pace.restart(now)

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """Listen to nothing."""
        del data, now
        return []

    def advance(self, now: float) -> list[bytes]:
        """Return the frames due."""
        due = self._pace.due(now)
        return [self._encode(self, column) for column in self.samples(due.start, len(due))] if due else []

    def samples(self, first: int, count: int) -> list[tuple[int, ...]]:
        """Return what the chip converts, one tuple of the leads a sample; leads off stand at the top."""
        values = steps(self.chest, self.leads, first, count, self.rate_hz, self._step_uv)
        values += round(OFFSET_UV / self._step_uv)
        for row, lead in enumerate(self.leads):
            if lead in self.chest.off:
                values[row] = TOP
        return [tuple(int(value) for value in column) for column in values.T]


Encode = Callable[[AfeBoard, tuple[int, ...]], bytes]


def ads1298_board(chest: Chest, now: float) -> AfeBoard:
    """Eight channels wired I, II, V1 to V6: 1100, LOFF_STATP, LOFF_STATN, GPIO[7:4], eight samples."""

    def encode(board: AfeBoard, column: tuple[int, ...]) -> bytes:
        off = sum(1 << row for row, lead in enumerate(board.leads) if lead in board.chest.off)
        status = 0xC << 20 | off << 12 | 0x5
        return status.to_bytes(3, "big") + b"".join(int24(value) for value in column)

    return AfeBoard(chest, now, EIGHT, ADS1298_UV, encode, 921600)


def ads1292r_board(chest: Chest, now: float) -> AfeBoard:
    """Two channels: 1100, LOFF_STAT, GPIO[1:0], zeros, respiration, ECG."""

    def encode(board: AfeBoard, column: tuple[int, ...]) -> bytes:
        off = 0x0C if "II" in board.chest.off else 0
        status = 0xC << 20 | off << 15 | 0x2 << 13
        return status.to_bytes(3, "big") + int24(-4321) + int24(column[0])

    return AfeBoard(chest, now, ("II",), ADS1292R_UV, encode, 115200)
