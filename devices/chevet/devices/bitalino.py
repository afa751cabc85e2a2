"""BITalino (r)evolution: up to six analogue inputs at 1000 Hz, over Bluetooth serial, a UART or TCP.

One-byte commands with pauses of at least 100 ms between them: 00 stop, 07 version (answered by a line such
as "BITalino_v5.1"), (rate << 6) | 3 with rate 3 for 1000 Hz, (mask << 2) | 1 start. A frame of n channels is
ceil((12 + 10 n) / 8) bytes for n up to 4, else ceil((52 + 6 (n - 4)) / 8), read from its end: sequence (4
bits) and CRC-4 (x^4 + x + 1), digital lines, A1 to A4 of 10 bits, A5 and A6 of 6 bits. Source: BITalino's
own interface library.

The ECG sensor is taken to be in A2, where the assembled board has it; it amplifies 1100 times: mV =
(ADC / 1023 - 0.5) * 3300 / 1100. Four bits of CRC would let one wrong frame in sixteen pass, so after a
break eight frames in a row must also be numbered one after the other before the first is believed.

Doubts: the ECG sensor's gain is of its data sheet, not read in the source. The number in a frame wraps every
16 ms: what was lost is told by the damaged bytes and, for longer silences, by the host's clock, to within
one round of 16. Not tried on a real board.
"""

import numpy as np
from numpy.typing import NDArray

from chevet.bridge.packet import Packet
from chevet.devices.byte_frames import FixedFrames, Rows
from chevet.devices.conditions import identity
from chevet.devices.counters import Counters
from chevet.devices.sample_line import SampleLine
from chevet.devices.samples import Channel, Event, Notice
from chevet.devices.startup import Startup, Step
from chevet.devices.text_lines import TextLines

RATE_HZ = 1000.0
STOP, VERSION, FASTEST = b"\x00", b"\x07", b"\xc3"
NUMBERS = 16
"""Frames are numbered 0 to 15."""
CONFIRM_FRAMES = 8
BLOCK_SAMPLES = 40
ECG_MV = 3300 / 1023 / 1100
ECG_INPUT = 2
INPUTS = 6
BITS = (10, 10, 10, 10, 6, 6)


def frame_bytes(channels: int) -> int:
    """Return the length of a frame of 1 to 6 channels."""
    bits = 12 + 10 * channels if channels <= 4 else 52 + 6 * (channels - 4)
    return -(-bits // 8)


class Bitalino:
    """Asks the version, starts the board and reads its inputs (int16); the ECG's is in mV, others in "1"."""

    name = "bitalino"
    instrument = "ecg"

    def __init__(self, inputs: tuple[int, ...] = (ECG_INPUT,), ecg: int = ECG_INPUT) -> None:
        """Start without a sample.

        Args:
            inputs: ascending numbers of the inputs to read, 1 to 6.
            ecg: which of them the ECG sensor is in.

        Raises:
            ValueError: inputs that the board does not have, or in another order.
        """
        if not inputs or list(inputs) != sorted(set(inputs)) or not 1 <= inputs[0] <= inputs[-1] <= INPUTS:
            raise ValueError("inputs are numbers from 1 to 6, ascending")
        self.counters = Counters()
        size = frame_bytes(len(inputs))
        self._bits = BITS[: len(inputs)]
        self._frames = FixedFrames(size, _valid, self.counters, confirm=CONFIRM_FRAMES, follows=_follows)
        channels = tuple(_channel(number, ecg, bits) for number, bits in zip(inputs, self._bits, strict=True))
        self._line = SampleLine(channels, self.counters, BLOCK_SAMPLES, modulus=NUMBERS)
        self._size = size
        mask = sum(1 << (number - 1) for number in inputs)
        self._go = bytes((mask << 2 | 1,))
        self._startup = Startup(
            (
                Step(STOP, 0.25, answered=False),
                Step(VERSION, 1.0),
                Step(FASTEST, 0.25, answered=False),
                Step(self._go, 1.0),
            )
        )
        self._text = TextLines()
        self.start()

    def start(self) -> bytes:
        """Return `stop`: the board may be streaming from before; the rest follows from `tick`."""
        self._frames.restart()
        self._line.restart()
        self._text.restart()
        return self._startup.begin()

    def tick(self, at: float) -> bytes:
        """Return the command that is due, mostly nothing."""
        return self._startup.due(at)

    def stop(self) -> bytes:
        """Return `stop`."""
        return STOP

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived; never raises, whatever it is."""
        if self._startup.waiting_for == VERSION:
            return [event for line in self._text.feed(packet.data) for event in self._named(line, packet.at)]
        if not self._startup.done and self._startup.waiting_for != self._go:
            return []
        events: list[Event] = []
        for skipped, rows in self._frames.feed(packet.data):
            self._startup.hear(packet.at)
            values = np.stack([_input(rows, place) for place in range(len(self._bits))])
            first = int(rows[0, -1] >> 4)
            guess = round(skipped / self._size)
            events += self._line.add(values, packet.at, counter=first, guess=guess)
        return events

    def _named(self, line: str | None, at: float) -> list[Event]:
        if line is None or "BITalino" not in line:
            return []
        self._startup.answered(VERSION)
        _, _, firmware = line.rpartition("_v")
        return [Notice("identified", at, detail=identity("BITalino", "", firmware))]


def _channel(number: int, ecg: int, bits: int) -> Channel:
    if number != ecg:
        return Channel(f"A{number}", "1", RATE_HZ, 1.0)
    step = ECG_MV * 1023 / (2**bits - 1)
    return Channel("ECG", "mV", RATE_HZ, step, -1650 / 1100)


FIRST_BITS = (12, 22, 32, 42, 52, 58)
"""Where an input begins when the frame's bytes are read from the last to the first, highest bit first."""


def _input(rows: Rows, place: int) -> NDArray[np.int16]:
    """Return the numbers of the input sent in this place, shape [frames]."""
    first, width = FIRST_BITS[place], BITS[place]
    padded = np.zeros((len(rows), rows.shape[1] + 2), np.int32)
    padded[:, : rows.shape[1]] = rows[:, ::-1]
    at = first // 8
    word = padded[:, at] << 16 | padded[:, at + 1] << 8 | padded[:, at + 2]
    return (word >> 24 - first % 8 - width & (1 << width) - 1).astype(np.int16)


def _crc_table() -> NDArray[np.uint8]:
    """Return what eight bits make of a CRC-4 register, index register * 256 + byte."""
    table = np.zeros(16 * 256, np.uint8)
    for register in range(16):
        for byte in range(256):
            crc = register
            for bit in range(7, -1, -1):
                crc = crc << 1 | byte >> bit & 1
                crc ^= 0x13 if crc & 0x10 else 0
            table[register << 8 | byte] = crc
    return table


_CRC = _crc_table()


def _valid(rows: Rows) -> NDArray[np.bool_]:
    crc = np.zeros(len(rows), np.uint8)
    for column in range(rows.shape[1]):
        byte = rows[:, column] & (0xF0 if column == rows.shape[1] - 1 else 0xFF)
        crc = _CRC[crc.astype(np.int32) << 8 | byte]
    good: NDArray[np.bool_] = crc == rows[:, -1] & 0x0F
    return good


def _follows(rows: Rows) -> NDArray[np.bool_]:
    numbers = rows[:, -1] >> 4
    next_one: NDArray[np.bool_] = numbers[1:] == (numbers[:-1] + 1) % NUMBERS
    return next_one
