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

from collections.abc import Callable

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
        self._frames = FixedFrames(
            size, _check(size), self.counters, confirm=CONFIRM_FRAMES, follows=_follows
        )
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
            values = _inputs(rows, len(self._bits))
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


def _inputs(rows: Rows, count: int) -> NDArray[np.int16]:
    """Return the numbers of the inputs in the order they are sent, shape [count, frames]."""
    size = rows.shape[1]
    padded = np.zeros((len(rows), 8), np.uint8)
    padded[:, :size] = rows
    whole = padded.view("<i8")[:, 0]
    values = [whole >> 8 * size - FIRST_BITS[n] - BITS[n] & (1 << BITS[n]) - 1 for n in range(count)]
    return np.array(values, np.int16)


def _crc4(data: bytes) -> int:
    """Return the CRC-4 of polynomial x^4 + x + 1, initial value 0, highest bit first."""
    crc = 0
    for byte in data:
        for bit in range(7, -1, -1):
            crc = crc << 1 | byte >> bit & 1
            crc ^= 0x13 if crc & 0x10 else 0
    return crc


def _crc_tables(size: int) -> NDArray[np.uint8]:
    """Return what each byte at each place of a frame adds to the checksum, shape [size, 256].

    A CRC that begins with 0 is the exclusive-or of what its bytes give one by one. The frame's last four bits
    are the checksum itself, so in a good frame everything together is 0.
    """
    tables = np.zeros((size, 256), np.uint8)
    for place in range(size):
        for byte in range(256):
            kept = byte if place < size - 1 else byte & 0xF0
            tables[place, byte] = _crc4(bytes((kept,)) + bytes(size - 1 - place)) ^ byte ^ kept
    return tables


def _check(size: int) -> Callable[[Rows], NDArray[np.bool_]]:
    tables, places = _crc_tables(size), np.arange(size)

    def valid(rows: Rows) -> NDArray[np.bool_]:
        good: NDArray[np.bool_] = np.bitwise_xor.reduce(tables[places, rows], axis=1) == 0
        return good

    return valid


def _follows(rows: Rows) -> NDArray[np.bool_]:
    numbers = rows[:, -1] >> 4
    next_one: NDArray[np.bool_] = numbers[1:] - numbers[:-1] & NUMBERS - 1 == 1
    return next_one
