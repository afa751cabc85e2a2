"""What a driver told beside what the sensor gave: which samples stand where they were taken."""

from bisect import bisect
from dataclasses import dataclass, field

import numpy as np

APART = 1000
"""Places between the samples of a device and those after it was started again."""
WINDOW = 12
LENGTHS = (12, 8, 5, 3, 1)
"""So many samples that agree tell where they belong; fewer where something was lost after them."""
NEAR = 300
"""So far away a single sample is looked for."""
BACK = 500
"""So far back repeated samples are looked for."""


@dataclass(slots=True)
class Judged:
    """What was found.

    Attributes:
        delivered: samples that came.
        missing: places left out between those delivered.
        wrong: samples that the sensor gave at no place near.
        moved: by how many places samples stand elsewhere than those before them, each time.
        anew: times that the device was started again.
    """

    delivered: int = 0
    missing: int = 0
    wrong: int = 0
    moved: list[int] = field(default_factory=list)
    anew: int = 0


class GroundTruth:
    """Follows one device through all its faults and remembers where its samples stand.

    Args:
        witness: has seen what the sensor gave.
        slack: steps by which samples may differ, where a protocol leaves the lowest bits out.
        loose: the device has no rate: its samples are counted as they were taken.
    """

    def __init__(self, witness, slack=0, *, loose=False):
        self._witness, self._usual_slack, self._loose = witness, slack, loose
        self._taken = {}
        self._seen = self._end = self._after = 0
        self._began = [0]
        self._last = self._shift = self._offsets = self._given = None

    def judge(self, blocks):
        """Return what is to be said about the blocks that came since the last call."""
        found = Judged()
        for block in blocks:
            self._take_over(block.channels)
            if self._last is not None:
                assert block.first >= self._last, "samples go back in time or stand on each other"
                found.missing += block.first - self._last
            self._last = block.first + block.values.shape[1]
            found.delivered += block.values.shape[1]
            self._place(block, found)
        return found

    def _take_over(self, channels):
        """Take over what the witness has seen since, in whole steps of the driver's channels."""
        for first, names, values in self._witness.taken[self._seen :]:
            if self._given is None:
                self._rows, self._slack = (
                    _rows(names, channels),
                    self._usual_slack or int(names not in ((), ("pleth",))),
                )
                self._given = np.full((len(self._rows), 4096), np.nan)
                lines = [channels[theirs] for _, theirs in self._rows]
                self._gain = np.array([[one.gain if names else 1.0] for one in lines])
                self._zero = np.array([[one.offset if names else 0.0] for one in lines])
            if self._loose:
                first = self._counted(first)
            place = self._began[-1] + first
            if place < self._end - values.shape[1]:
                self._began.append(self._end + APART - first)
                place = self._began[-1] + first
            end = place + values.shape[1]
            while end > self._given.shape[1]:
                self._given = np.pad(self._given, ((0, 0), (0, self._given.shape[1])), constant_values=np.nan)
            steps = np.rint((values[[ours for ours, _ in self._rows]] - self._zero) / self._gain)
            self._given[:, place:end] = steps
            self._end = end
        self._seen = len(self._witness.taken)

    def _counted(self, first):
        """Return which sample it is that was taken as `first`; a device may look twice before it sends."""
        if self._taken and first < max(self._taken):
            self._taken = {}
        return self._taken.setdefault(first, len(self._taken))

    def _place(self, block, found):
        values = block.values[[theirs for _, theirs in self._rows]].astype(np.int64)
        here, count = 0, values.shape[1]
        while here < count:
            good = self._agreeing(block.first + here, values[:, here:])
            here += good
            if here == count:
                return
            shift = self._sought(block.first + here, values[:, here : here + WINDOW])
            if shift is None:
                found.wrong += 1
                here += 1
                continue
            self._note(block.first + here, shift, found)

    def _note(self, first, shift, found):
        before, self._shift = self._shift, shift
        if before is None:
            return
        if bisect(self._began, first + shift) != bisect(self._began, self._after - 1):
            found.anew += 1
        else:
            found.moved.append(shift - before)

    def _agreeing(self, first, values):
        """Return how many samples stand where they should."""
        if self._shift is None:
            return 0
        place = first + self._shift
        given = self._given[:, max(place, 0) : place + values.shape[1]]
        short = values[:, : given.shape[1]]
        fits = (np.abs(short - given - self._offsets) <= self._slack).all(axis=0)
        good = len(fits) if fits.all() else int(np.argmin(fits))
        if good:
            self._after = place + good
        return good

    def _sought(self, first, values):
        """Return by how much places differ for samples that begin at `first`."""
        start = max(0, self._after - BACK)
        if bisect(self._began, self._after) < len(self._began):  # it plays the same again since it restarted
            start = self._began[-1]
        for length in LENGTHS:
            if (
                values.shape[1] >= length
                and (place := self._found(first, values[:, :length], start)) is not None
            ):
                return place - first
        return None

    def _found(self, first, values, start):
        """Return the place of `values` nearest to where they should be, from `start` on."""
        given, length = self._given[:, start : self._end], values.shape[1]
        if given.shape[1] < length:
            return None
        windows = np.lib.stride_tricks.sliding_window_view(given, length, axis=1)
        off = values[:, None, :] - windows
        usual = self._offsets[:, :, None] if self._offsets is not None else np.rint(off[:, :, :1])
        places = np.flatnonzero((np.abs(off - usual) <= self._slack).all(axis=(0, 2)))
        if not len(places):
            return None
        wanted = first + (self._shift or 0) - start
        place = int(places[np.argmin(np.abs(places - wanted))])
        if length == 1 and start != self._began[-1] and abs(place - wanted) > NEAR:
            return None
        if self._offsets is None:
            self._offsets = usual[:, place]
        return place + start


def _rows(names, channels):
    """Return (row of the sensor, row of the driver) that are the same."""
    known = [channel.name for channel in channels]
    if names and len(channels) > len(names):
        return [(row, known.index(name)) for row, name in enumerate(names)]
    return [(row, row) for row in range(len(channels))]
