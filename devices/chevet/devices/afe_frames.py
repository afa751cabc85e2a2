"""Raw frames of Texas Instruments' ECG front ends: a 24-bit status word, then one 24-bit number a channel.

The microcontroller passes on what the chip shifts out: no checksum, no counter, and only the status word's
first four bits (1100) are always the same. So a frame is believed when the next one begins where it should,
and after a break only when eight in a row say so with the same status: an electrode's offset can make a
sample begin with 1100 for minutes, but its lower bytes never stand still.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from chevet.devices.byte_frames import FixedFrames, Rows
from chevet.devices.counters import Counters

STATUS_BYTES = 3
CONFIRM_FRAMES = 8
TOP, BOTTOM = 2**23 - 1, -(2**23)
"""What a channel says at the ends of its range; an electrode that is off drifts there."""


def afe_frames(channels: int, counters: Counters, still: int = 0) -> FixedFrames:
    """Return what cuts frames of `channels` numbers; `still` are further status bits that are always 0."""
    size = STATUS_BYTES + 3 * channels

    def valid(rows: Rows) -> NDArray[np.bool_]:
        good: NDArray[np.bool_] = (rows[:, 0] & 0xF0 == 0xC0) & (rows[:, size] & 0xF0 == 0xC0)
        if still:
            good &= status_words(rows) & still == 0
        return good

    def steady(rows: Rows) -> NDArray[np.bool_]:
        status = status_words(rows)
        same: NDArray[np.bool_] = status[1:] == status[:-1]
        return same

    return FixedFrames(
        size, valid, counters, start=rb"[\xc0-\xcf]", peek=1, confirm=CONFIRM_FRAMES, steady=steady
    )


def status_words(rows: Rows) -> NDArray[np.int32]:
    """Return the 24 bits of each frame's status, shape [frames]."""
    parts = rows[:, :STATUS_BYTES].astype(np.int32)
    words: NDArray[np.int32] = parts[:, 0] << 16 | parts[:, 1] << 8 | parts[:, 2]
    return words


def saturated(values: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return where numbers stand at an end of their range."""
    at_end: NDArray[np.bool_] = (values == TOP) | (values == BOTTOM)
    return at_end


def step_mv(vref_v: float, gain: float) -> float:
    """Return what one step of a 24-bit number means, in mV (data sheets: VREF / gain / (2^23 - 1))."""
    return vref_v * 1000 / gain / (2**23 - 1)


class OffInputs:
    """Finds the frames where an input loses contact, or has it again: by a status, or at its range's ends.

    From one look to the next mostly nothing changes, which is found out by comparing bytes.
    """

    def __init__(self, inputs: int, read: Callable[[Rows], NDArray[np.bool_]] | None = None) -> None:
        """Start with all in contact.

        Args:
            inputs: how many there are.
            read: makes [inputs, frames] of frames that begin with a status: which electrodes are off.
        """
        self._inputs = inputs
        self._read = read
        self.forget()

    def forget(self) -> None:
        """Begin anew: what is off is told again."""
        self._off = np.zeros(self._inputs, np.bool_)
        self._any = False
        self._all_on = b""  # a status under which none was off

    def changes(self, rows: Rows, values: NDArray[np.int32]) -> list[tuple[int, NDArray[np.bool_]]]:
        """Return (frame, which inputs are off from it on) for each change; `values` is [inputs, frames]."""
        off = saturated(values)
        if self._read is not None:
            status = rows[:, :STATUS_BYTES].tobytes()
            if status != self._all_on * len(rows):
                electrodes = self._read(rows)
                self._all_on = b"" if electrodes[:, -1].any() else status[-STATUS_BYTES:]
                off |= electrodes
        if not self._any and not off.any():
            return []
        whole = np.column_stack((self._off, off))
        self._off, self._any = off[:, -1], bool(off[:, -1].any())
        return [(int(row), off[:, row]) for row in np.flatnonzero((whole[:, 1:] != whole[:, :-1]).any(0))]
