"""How many bytes may be under way: about twice what the link holds, found from the acknowledgements."""

from typing import Final

from chevet.exchange.manifest import CHUNK

START: Final = 8 << 10
FLOOR: Final = 2 * CHUNK
CAP: Final = 256 << 10
_GROW_BELOW_S: Final = 0.5
_SHRINK_ABOVE_S: Final = 1.5
_TELLING: Final = CHUNK // 2
"""Smaller messages spend less time on the line than a chunk and would make the link look fast."""


class Window:
    """Grows by a chunk per windowful while the link answers as fast as it can, halves when it queues.

    The link's own time is the shortest acknowledgement seen on this connection.
    """

    def __init__(self) -> None:
        self.size = START
        self.under_way = 0
        self._base_s: float | None = None
        self._credit = 0
        self._shrunk_at = 0.0

    def room(self) -> bool:
        """Return whether another message may go out."""
        return self.under_way < self.size

    def sent(self, size: int) -> None:
        """Count a message out."""
        self.under_way += size

    def acknowledged(self, size: int, sent_at: float, now: float) -> None:
        """Count a message as arrived at the broker, and learn from how long that took."""
        self.under_way -= size
        if size < _TELLING:
            return
        took = now - sent_at
        self._base_s = took if self._base_s is None else min(self._base_s, took)
        if took > self._base_s + _SHRINK_ABOVE_S:
            if sent_at >= self._shrunk_at:  # once for all that was sent into the same queue
                self._shrink(now)
        elif took < self._base_s + _GROW_BELOW_S:
            self._credit += size
            if self._credit >= self.size:
                self._credit = 0
                self.size = min(self.size + CHUNK, CAP)

    def cut(self, now: float) -> None:
        """The connection ended: nothing is under way, and the next one starts half as bold."""
        self.under_way = 0
        self._base_s = None
        self._shrink(now)

    def _shrink(self, now: float) -> None:
        self.size = max(self.size // 2, FLOOR)
        self._credit = 0
        self._shrunk_at = now
