"""Which pictures the camera's snapshot button asked for."""

from bisect import bisect_right

from chevet.devices.samples import Notice, Picture
from chevet.edge.journal import Journal

BEFORE_S = 0.5
"""Pressing shakes the camera: the sharpest picture of the half second up to the press is what was meant."""


def pressed_for(journal: Journal) -> tuple[tuple[int, ...], ...]:
    """Return for each press of the button the journal's pictures that it may have meant, by their index.

    Those of the half second up to it; the last one before it where there is none so late, and the first of
    all where the button was pressed before any.
    """
    times = [event.at for event in journal.events if isinstance(event, Picture)]
    presses = [e.at for e in journal.events if isinstance(e, Notice) and e.code == "snapshot_button"]
    if not times:
        return ()
    meant = []
    for at in presses:
        stop = max(1, bisect_right(times, at))
        first = next(place for place in range(stop) if times[place] >= at - BEFORE_S or place == stop - 1)
        meant.append(tuple(range(first, stop)))
    return tuple(meant)
