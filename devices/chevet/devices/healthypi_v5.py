"""ProtoCentral HealthyPi 5: ECG, respiration, pulse oximetry and temperature on one board, over USB.

It streams from power-on on in one of two ways, which this driver tells apart by itself. OpenView: type 2,
22 bytes: ECG i32, bioimpedance i32, its skip mark (00 new, FF repeated), red i32, infrared i32, temperature
i16 (0.01 degrees), SpO2, heart rate, respiration rate. OV3: type 3, 50 bytes: eight ECG i32, four
bioimpedance i32, heart rate, respiration rate; and type 4, 19 bytes: eight light i16, SpO2, temperature.
Source: ProtoCentral's HealthyPi 5 firmware.

Doubts: about 128 Hz (the MAX30001's rate; not read in the source). The ECG's scale is that of a MAX30001 at
gain 20 (1000 mV / 2^17 / 20); the firmware's gain was not read. In OV3 both temperature bytes hold the high
byte (a fault of the firmware), so temperature is not given there. Lead off is not told. Over Bluetooth the
board has services of its own, which are not read. Not tried on a real board.
"""

import numpy as np

from chevet.bridge.packet import Packet
from chevet.devices.byte_frames import Rows
from chevet.devices.counters import Counters
from chevet.devices.framer import Framer
from chevet.devices.openview import (
    AROUND_BYTES,
    BLOCK_SAMPLES,
    END,
    HEAD_BYTES,
    START,
    BoardWords,
    Layout,
    Number,
)
from chevet.devices.sample_line import SampleLine, add_between
from chevet.devices.samples import Channel, Event

RATE_HZ = 128.0
CHANNEL = Channel("ECG", "mV", RATE_HZ, 1000 / 2**17 / 20)
LENGTHS = {2: 22, 3: 50, 4: 19}
"""Payload bytes by type."""
OV3_SAMPLES = 8

OPENVIEW = Layout(
    "HealthyPi 5",
    LENGTHS[2],
    CHANNEL,
    (
        Number("temperature", 17, "<i2", "Cel", 50.0, 0.01),
        Number("spo2", 19, "u1", "%", 100.0),
        Number("heart_rate", 20, "u1", "/min", 300.0),
        Number("respiration_rate", 21, "u1", "/min", 100.0),
    ),
)
OV3_ECG = Layout(
    "HealthyPi 5",
    LENGTHS[3],
    Channel("ECG", "mV", RATE_HZ / OV3_SAMPLES, 1.0),  # frames a second
    (
        Number("heart_rate", 48, "u1", "/min", 300.0),
        Number("respiration_rate", 49, "u1", "/min", 100.0),
    ),
)
OV3_LIGHT = Layout(
    "",
    LENGTHS[4],
    Channel("light", "1", RATE_HZ / OV3_SAMPLES, 1.0),
    (Number("spo2", 16, "u1", "%", 100.0),),
)


class HealthyPiV5:
    """Reads the board in either of its two ways: ECG (int32), and its numbers once a second."""

    name = "healthypi-v5"
    instrument = "ecg"

    def __init__(self) -> None:
        self.counters = Counters()
        self._framer = Framer(_size, _check, self.counters)
        self._line = SampleLine((CHANNEL,), self.counters, BLOCK_SAMPLES, dtype=np.int32)
        self._skipped = 0
        self._words = {2: BoardWords(OPENVIEW), 3: BoardWords(OV3_ECG), 4: BoardWords(OV3_LIGHT)}

    def start(self) -> bytes:
        """Forget the place in the stream; there is nothing to send."""
        self._framer.restart()
        self._line.restart()
        self._skipped = 0
        for words in self._words.values():
            words.restart()
        return b""

    def tick(self, at: float) -> bytes:  # noqa: ARG002 (the board needs nothing)
        """Return nothing: the board streams by itself."""
        return b""

    def stop(self) -> bytes:
        """Return nothing: the board cannot be stopped."""
        return b""

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived; never raises, whatever it is."""
        events: list[Event] = []
        for skipped, frames in _runs(self._framer.feed(packet.data)):
            events += self._take(skipped, frames, packet.at)
        return events

    def _take(self, skipped: int, frames: Rows, at: float) -> list[Event]:
        type_, payloads = int(frames[0, 4]), frames[:, HEAD_BYTES : -len(END)]
        words = self._words[type_].find(payloads, at)
        self._skipped += skipped  # also those before a frame of light: an ECG frame may be among them
        if type_ == 4:
            return [event for row in sorted(words) for event in words[row]]
        each = OV3_SAMPLES if type_ == 3 else 1
        ecg = np.ascontiguousarray(payloads[:, : 4 * each]).view("<i4").reshape(1, -1)
        guess = round(self._skipped / (LENGTHS[type_] + AROUND_BYTES)) * each
        self._skipped = 0
        placed = {row * each: told for row, told in words.items()}
        return add_between(self._line, ecg.astype(np.int32), at, placed, guess=guess)


def _size(pending: bytearray) -> int | None:
    head = bytes(pending[:HEAD_BYTES])
    if head[: len(START)] != START[: len(head)]:
        return 0
    if len(head) < HEAD_BYTES:
        return None
    length = LENGTHS.get(head[4], -1)
    return length + AROUND_BYTES if int.from_bytes(head[2:4], "little") == length else 0


def _check(frame: bytes) -> bool:
    return frame.endswith(END)


def _runs(frames: list[tuple[int, bytes]]) -> list[tuple[int, Rows]]:
    """Put frames of one type that follow each other together: (bytes skipped before, rows)."""
    runs: list[tuple[int, list[bytes]]] = []
    for skipped, frame in frames:
        if runs and not skipped and runs[-1][1][-1][4] == frame[4]:
            runs[-1][1].append(frame)
        else:
            runs.append((skipped, [frame]))
    return [(skipped, np.frombuffer(b"".join(run), np.uint8).reshape(len(run), -1)) for skipped, run in runs]
