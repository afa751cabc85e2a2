"""How much live mode may send: a share of what the link carries, less when frames are late or lost."""

from typing import Final

from chevet.exchange.live_watch import Report

SHARE: Final = 0.6
"""Of the measured rate (delivery reference, section 4): the rest is the bundles'."""
UNKNOWN: Final = 2_000.0
"""Bytes a second on a link of which nothing was measured: one lead, or sound just so."""
UNKNOWN_MOST: Final = 8_000.0
"""What an unmeasured link may grow to while every report is good: all that live mode ever has to send."""
BURST_S: Final = 0.5
LATE_S: Final = 0.5
"""Beyond the shortest latency seen: more means that frames queue on the way."""
_LOSSY: Final = 0.05
_LESS, _MORE = 0.7, 1.25
_LEAST: Final = 0.1


class LiveRate:
    """A bucket of bytes that fills at the allowed rate."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._unknown = UNKNOWN
        self._factor = 1.0
        self._shortest_ms: int | None = None
        self._tokens = 0.0
        self._at: float | None = None
        self._fresh = False

    def allowed(self, measured: float) -> float:
        """Return bytes a second that may go out.

        Args:
            measured: what the link takes, bytes a second; 0 while nothing was measured.
        """
        return self._factor * (SHARE * measured if measured > 0 else self._unknown)

    def reported(self, report: Report) -> None:
        """Learn how the frames came through, and forget bad reports while nothing is sent.

        Without that a link on which nothing fits any more would never be tried again.
        """
        total = report.received + report.lost
        if not total:
            self._factor = min(1.0, self._factor * _MORE)
            return
        if self._fresh:
            self._fresh = False  # what is missing in it went with the connection before
            return
        if report.latency_ms >= 0:
            self._shortest_ms = min(report.latency_ms, self._shortest_ms or report.latency_ms)
        late = report.latency_ms - (self._shortest_ms or 0) > 1000 * LATE_S
        if late or report.lost > _LOSSY * total:
            self._factor = max(_LEAST, self._factor * _LESS)
            self._unknown = max(UNKNOWN, self._unknown * _LESS)
        else:
            self._factor = min(1.0, self._factor * _MORE)
            self._unknown = min(UNKNOWN_MOST, self._unknown * _MORE)

    def fits(self, size: int, measured: float, now: float) -> bool:
        """Return whether `size` bytes may go out now, and count them if so.

        Over any time T at most `allowed * (T + BURST_S)` go out; what does not fit is dropped, never kept.
        """
        allowed = self.allowed(measured)
        passed = BURST_S if self._at is None else max(0.0, now - self._at)
        self._at = now if self._at is None else max(now, self._at)
        self._tokens = min(self._tokens + allowed * passed, allowed * BURST_S)
        if size > self._tokens:
            return False
        self._tokens -= size
        return True

    def spent(self, size: int) -> None:
        """Count bytes that had to go out whatever the rate: the next frames wait for them."""
        self._tokens -= size

    def cut(self) -> None:
        """The connection ended: the next may be another road."""
        self._forget()
        self._fresh = True
