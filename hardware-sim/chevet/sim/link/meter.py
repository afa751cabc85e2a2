"""The counters of a link, as lines for a terminal and as a report."""

import sys
from dataclasses import asdict, dataclass, field
from typing import Any, TextIO

from chevet.sim.link.road import Counted


@dataclass(slots=True)
class Meter:
    """Shows what passes, each second, without disturbing what the programs print.

    Attributes:
        up: counters from the near side.
        down: counters to the near side.
        out: where lines go; a terminal gets one line that is written again and again.
        quiet: show nothing.
    """

    up: Counted
    down: Counted
    out: TextIO = field(default_factory=lambda: sys.stderr)
    quiet: bool = False
    _last_at: float = 0.0
    _last_up: int = 0
    _last_down: int = 0

    def show(self, at: float, *, cut: bool, queued: float) -> None:
        """Write the counters at a time since the start."""
        if self.quiet:
            return
        line = self._line(at, cut=cut, queued=queued)
        if self.out.isatty():
            self.out.write(f"\r\x1b[K{line}")
        else:
            self.out.write(f"{line}\n")
        self.out.flush()

    def end(self) -> None:
        """Leave the last line standing."""
        if not self.quiet and self.out.isatty():
            self.out.write("\n")

    def report(self, seconds: float) -> dict[str, Any]:
        """Return all counters."""
        return {"seconds": round(seconds, 3), "up": asdict(self.up), "down": asdict(self.down)}

    def _line(self, at: float, *, cut: bool, queued: float) -> str:
        span = max(at - self._last_at, 1e-3)
        up = (self.up.carried_bytes - self._last_up) * 8 / span / 1000
        down = (self.down.carried_bytes - self._last_down) * 8 / span / 1000
        self._last_at, self._last_up, self._last_down = at, self.up.carried_bytes, self.down.carried_bytes
        lost = sum(one.lost + one.overflowed + one.cut for one in (self.up, self.down))
        state = "CUT " if cut else "open"
        return (
            f"{at:7.1f} s  {state}  up {_size(self.up.carried_bytes)} {up:7.1f} kbit/s"
            f"  down {_size(self.down.carried_bytes)} {down:7.1f} kbit/s"
            f"  lost {lost}  queued {queued / 1024:.1f} KiB"
        )


def _size(count: int) -> str:
    if count < 10 << 20:
        return f"{count / 1024:8.1f} KiB"
    return f"{count / (1 << 20):8.1f} MiB"
