"""Cuts frames of one fixed size out of a stream of bytes, many at a time."""

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from chevet.devices.counters import Counters

Rows = NDArray[np.uint8]
"""Frames one below the other, shape [frames, bytes]."""
Check = Callable[[Rows], NDArray[np.bool_]]
"""Judges each row of [n, bytes] by itself: [n]. Or each row by the one before it: [n - 1]."""

ANYTHING = rb"(?s:.)"


class FixedFrames:
    """Gives runs of consecutive whole frames, each with the number of bytes skipped before it.

    While frames follow each other they are judged together, which is what makes 24-bit instruments cheap to
    read. Where one fails, exactly one byte is dropped and the search goes on: noise costs what it hit.

    Protocols whose frames are hard to tell from their neighbourhood (no checksum, or one of four bits) are
    searched with `confirm`: so many frames in a row must be good before the first of them is believed.
    """

    def __init__(
        self,
        size: int,
        valid: Check,
        counters: Counters,
        *,
        start: bytes = ANYTHING,
        peek: int = 0,
        confirm: int = 1,
        follows: Check | None = None,
        steady: Check | None = None,
    ) -> None:
        """Start without a byte.

        Args:
            size: bytes a frame.
            valid: judges rows of size + peek bytes each by itself.
            counters: `frames`, `bad_frames` (one a stretch skipped) and `resyncs` are kept here.
            start: regular expression that the first bytes of a frame match; only makes searching fast.
            peek: bytes of the next frame that must have arrived before a frame is judged.
            confirm: good frames in a row that a search must find.
            follows: judges each frame (size bytes) by the one before it, always.
            steady: the same, but only among the frames that a search must find.
        """
        self._size = size
        self._valid = valid
        self._counters = counters
        self._start = re.compile(start)
        self._peek = peek
        self._confirm = confirm
        self._follows = follows
        self._steady = steady
        self._pending = bytearray()
        self.restart()

    @property
    def pending(self) -> int:
        """Bytes that wait for more."""
        return len(self._pending)

    def restart(self) -> None:
        """Forget what is not whole: another connection begins."""
        self._pending.clear()
        self._skipped = 0
        self._last: Rows | None = None  # the frame before, while frames follow each other

    def feed(self, data: bytes) -> list[tuple[int, Rows]]:
        """Return what `data` completed: (bytes skipped before, frames [n, size])."""
        self._pending += data
        found: list[tuple[int, Rows]] = []
        at = 0
        while True:
            taken, end = self._search(at) if self._last is None else self._go_on(at)
            if taken is not None:
                found.append(self._count(taken))
            if end == at:
                break
            at = end
        del self._pending[:at]
        return found

    def _go_on(self, at: int) -> tuple[Rows | None, int]:
        """Return the frames that follow the last one, and where they end; none: the run is over."""
        assert self._last is not None
        count = (len(self._pending) - at - self._peek) // self._size
        if count <= 0:
            return None, at
        rows = self._rows(at, count)
        good = self._valid(rows)
        if self._follows is not None:
            good = good & self._follows(np.concatenate((self._last, rows[:, : self._size])))
        if not good.all():
            count = int(good.argmin())
        if not count:
            self._last = None
            return self._search(at)
        return rows[:count, : self._size], at + count * self._size

    def _search(self, at: int) -> tuple[Rows | None, int]:
        """Return the frames that a search finds, and where to go on."""
        last = len(self._pending) - self._confirm * self._size - self._peek
        while at <= last:
            match = self._start.search(self._pending, at)
            place = match.start() if match else last + 1
            self._skip(min(place, last + 1) - at)
            at = min(place, last + 1)
            if at > last:
                break
            rows = self._rows(at, self._confirm)
            frames = rows[:, : self._size].copy()
            among = (check(frames).all() for check in (self._follows, self._steady) if check is not None)
            if self._valid(rows).all() and all(among):
                return frames, at + self._confirm * self._size
            self._skip(1)
            at += 1
        return None, at

    def _rows(self, at: int, count: int) -> Rows:
        """Return `count` overlapping read-only rows of size + peek bytes; they outlive the buffer."""
        data = bytes(self._pending[at : at + count * self._size + self._peek])
        return np.ndarray((count, self._size + self._peek), np.uint8, data, 0, (self._size, 1))

    def _skip(self, count: int) -> None:
        if count > 0:
            self._counters.bad_frames += not self._skipped
            self._skipped += count

    def _count(self, frames: Rows) -> tuple[int, Rows]:
        skipped, self._skipped = self._skipped, 0
        self._counters.frames += len(frames)
        self._counters.resyncs += bool(skipped)
        self._last = frames[-1:]
        return skipped, frames


def int24(rows: Rows, first: int, count: int) -> NDArray[np.int32]:
    """Return `count` signed 24-bit big-endian numbers from column `first` on, shape [count, frames].

    There must be a column before `first`: each number is read as the lower part of one of 32 bits.
    """
    bytes_ = np.ascontiguousarray(rows[:, first - 1 : first + 3 * count])
    words = np.ndarray((count, len(rows)), ">i4", bytes_, 0, (3, 3 * count + 1))
    values: NDArray[np.int32] = words.astype(np.int32)
    values <<= 8
    values >>= 8
    return values


def little(rows: Rows, first: int, kind: str) -> NDArray[np.int32]:
    """Return one number of NumPy type `kind` (such as "<i2") from column `first` on, shape [frames]."""
    size = np.dtype(kind).itemsize
    column = np.ascontiguousarray(rows[:, first : first + size]).view(kind)
    return column[:, 0].astype(np.int32)
