"""What every driver promises, held against bytes, cuts, sources and pauses that a fuzzer chooses.

A script is a number of steps: two bytes of head and the bytes that arrive. Of the head, h0 and
bit 0 of h1 are the length; bits 1 to 3 of h1 say how much time has passed; bits 4 to 7 what happens.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from chevet.bridge.packet import Packet
from chevet.devices.samples import Channel, Notice, Picture, Reading, SampleBlock

PAUSES_S = (0.0, 0.05, 0.1, 0.25, 0.5, 1.0, 3.5, 3600.0)
SOURCES = 12
SEALED, QUIET, AGAIN, BY_BYTE = 12, 13, 14, 15
"""What happens, beside the arrival of bytes from source 0 to 11."""
LONGEST_STEP = 511
ONE_BY_ONE = 200
"""Longer streams are not fed byte by byte: the fuzzer's time is better spent on more of them."""
BEGAN = 1000.0

HELD_BYTES = 64 << 10
"""No driver needs more for what is not whole yet; a reply of the O2Ring (4 KiB) is the longest there is."""
CELLS_PER_BYTE = 16
EVENTS_PER_BYTE = 4


@dataclass(frozen=True, slots=True)
class Subject:
    """A driver under test.

    Attributes:
        name: of DRIVERS, or what else tells it.
        make: makes one.
        sources: where its packets come from; "" is a line.
        seal: turns bytes into a frame with the right checksum, which chance hardly ever finds.
        streams: the same bytes must give the same events however they are cut, from the first byte on.
    """

    name: str
    make: Callable[[], Any]
    sources: tuple[str, ...] = ("",)
    seal: Callable[[bytes], bytes] | None = None
    streams: bool = False


def steps(script: bytes) -> Iterator[tuple[int, float, bytes]]:
    """Yield what happens, seconds that have passed since the step before, and the bytes."""
    at = 0
    while at + 2 <= len(script):
        low, bits = script[at], script[at + 1]
        size = low | (bits & 1) << 8
        at += 2
        yield bits >> 4, PAUSES_S[bits >> 1 & 7], script[at : at + size]
        at += size


def step(what: int, pause_s: float, data: bytes) -> bytes:
    """Return the bytes that `steps` reads so; the pause is the nearest there is, the data are cut."""
    pause = min(range(len(PAUSES_S)), key=lambda place: abs(PAUSES_S[place] - pause_s))
    data = data[:LONGEST_STEP]
    return bytes((len(data) & 0xFF, len(data) >> 8 | pause << 1 | what << 4)) + data


def keeps_its_promises(subject: Subject, script: bytes) -> None:
    """Let a driver hear a script.

    Raises:
        AssertionError: it broke the contract; anything else that comes out of it breaks it too.
    """
    watch = Watch(subject.make())
    watch.start()
    for what, pause_s, data in steps(script):
        watch.at += pause_s
        if what == AGAIN:
            watch.start()
        elif what == BY_BYTE:
            for place in range(len(data)):
                watch.feed(data[place : place + 1], subject.sources[0])
        elif what == SEALED and subject.seal is not None:
            watch.feed(subject.seal(data), subject.sources[0])
        elif what != QUIET:
            watch.feed(data, subject.sources[what % len(subject.sources)])
        watch.tick()
    if not subject.sources[0]:
        watch.feed(b"", "")  # what a tick has found out is told with the next packet
    watch.end()


def cutting_changes_nothing(subject: Subject, script: bytes) -> None:
    """Compare what all bytes of a script give at once, as the script cuts them, and one by one.

    Raises:
        AssertionError: they give something else.
    """
    pieces = [data for _, _, data in steps(script) if data]
    whole = b"".join(pieces)
    expected = _told(subject, [whole])
    assert _told(subject, pieces) == expected, "other cuts, other events"
    if len(whole) <= ONE_BY_ONE:
        assert _told(subject, [whole[at : at + 1] for at in range(len(whole))]) == expected, "byte by byte"


def _told(subject: Subject, pieces: list[bytes]) -> tuple[list[object], object]:
    driver = subject.make()
    driver.start()
    told: list[object] = []
    for piece in pieces:
        for event in driver.feed(Packet(piece, BEGAN, subject.sources[0])):
            if isinstance(event, SampleBlock):
                told.append((event.channels, event.first, event.values.tolist()))
            else:
                told.append(event)
    return told, driver.counters


class Watch:
    """A driver and what must stay true of it."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self.at = BEGAN
        self._counted = self._counters()
        self._next: dict[tuple[Channel, ...], int] = {}
        self._given = 0
        self._cells = 0
        self._events = 0
        self._calls = 0
        self._lost_told = 0

    def start(self) -> None:
        """A connection is opened."""
        self._said(self.driver.start())

    def tick(self) -> None:
        """Time has passed."""
        self._said(self.driver.tick(self.at))

    def feed(self, data: bytes, source: str) -> None:
        """Bytes arrive."""
        self._calls += 1
        self._given += len(data)
        for event in self.driver.feed(Packet(data, self.at, source)):
            self._heard(event)
        now = self._counters()
        assert all(after >= before for after, before in zip(now, self._counted, strict=True)), "counts fell"
        self._counted = now
        assert self._cells <= CELLS_PER_BYTE * self._given + 4096, "more samples than bytes can hold"
        assert self._events <= EVENTS_PER_BYTE * self._given + 64 * self._calls, "more events than bytes"

    def end(self) -> None:
        """The connection is closed."""
        self._said(self.driver.stop())
        assert held_bytes(self.driver) <= HELD_BYTES, "the driver hoards"
        lost = self.driver.counters.lost_samples
        assert self._lost_told in (0, lost), f"{lost} samples counted as lost, {self._lost_told} told"

    def _said(self, data: object) -> None:
        assert isinstance(data, bytes)
        assert len(data) <= 1024

    def _counters(self) -> tuple[int, ...]:
        counters = self.driver.counters
        return counters.frames, counters.bad_frames, counters.lost_samples, counters.resyncs

    def _heard(self, event: object) -> None:
        self._events += 1
        if isinstance(event, SampleBlock):
            self._block(event)
            return
        assert isinstance(event, Reading | Picture | Notice), type(event)
        assert event.at <= self.at
        if isinstance(event, Reading) and event.value is not None:
            assert math.isfinite(event.value), "a number that is none"
        if isinstance(event, Notice):
            assert len(event.detail) <= 512
            if event.code == "lost_samples":
                self._lost_told += int(event.detail)

    def _block(self, block: SampleBlock) -> None:
        rows, count = block.values.shape
        assert rows == len(block.channels)
        assert count > 0
        assert np.issubdtype(block.values.dtype, np.signedinteger)
        assert BEGAN <= block.at <= self.at
        assert block.first >= self._next.get(block.channels, 0), "the index went back"
        self._next[block.channels] = block.first + count
        self._cells += block.values.size


def held_bytes(thing: object, seen: set[int] | None = None) -> int:
    """Return roughly how many bytes an object keeps alive beside itself."""
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return 0
    seen.add(id(thing))
    match thing:
        case bytes() | bytearray() | str():
            return len(thing)
        case np.ndarray():
            return thing.nbytes
        case int():
            return thing.bit_length() // 8
        case dict():
            return sum(held_bytes(part, seen) + 8 for pair in thing.items() for part in pair)
        case list() | tuple() | set() | frozenset():
            return sum(held_bytes(part, seen) + 8 for part in thing)
    if type(thing).__module__ in {"builtins", "numpy", "re", "_struct"}:
        return 0
    slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
    parts = [getattr(thing, name) for name in slots if hasattr(thing, name)]
    return held_bytes([*parts, *vars(thing).values()] if hasattr(thing, "__dict__") else parts, seen)
