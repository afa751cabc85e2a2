"""Cuts frames out of a stream of bytes that may begin, break and go on anywhere."""

from collections.abc import Callable

from chevet.devices.counters import Counters

Size = Callable[[bytearray], int | None]
"""Judges a frame by its first bytes: its whole length, 0 where none can begin, None where more are needed."""
Check = Callable[[bytes], bool]


class Framer:
    """Gives each whole frame with the number of bytes that were skipped before it.

    Where no frame begins, or one fails its check, exactly one byte is dropped and the search goes on: noise
    costs what it hit and nothing more. Counts `frames`, `bad_frames` (one for each stretch skipped) and
    `resyncs`.
    """

    def __init__(self, size: Size, check: Check, counters: Counters) -> None:
        self._size = size
        self._check = check
        self._counters = counters
        self._pending = bytearray()
        self._skipped = 0

    @property
    def pending(self) -> int:
        """Bytes of a frame that is not whole yet."""
        return len(self._pending)

    def restart(self) -> None:
        """Forget what is not whole: another connection begins."""
        self._pending.clear()
        self._skipped = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Return what `data` completed: (bytes skipped before it, frame)."""
        self._pending += data
        found: list[tuple[int, bytes]] = []
        while self._pending:
            size = self._size(self._pending)
            if size is None or size > len(self._pending):
                break
            frame = bytes(self._pending[:size])
            if size and self._check(frame):
                found.append((self._skipped, frame))
                self._counters.frames += 1
                self._counters.resyncs += bool(self._skipped)
                self._skipped = 0
                del self._pending[:size]
                continue
            self._counters.bad_frames += not self._skipped
            self._skipped += 1
            del self._pending[0]
        return found
