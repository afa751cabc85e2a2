"""When things are due: so many a second, by an absolute schedule."""

CATCH_UP_S = 0.5


class Pace:
    """Counts what is due since power-on; a twin nobody stepped for long goes on from now."""

    def __init__(self, rate_hz: float, now: float, catch_up_s: float = CATCH_UP_S) -> None:
        self.rate_hz = rate_hz
        self._behind = max(1, int(catch_up_s * rate_hz))
        self.restart(now)

    def restart(self, now: float) -> None:
        """Begin to count at `now`."""
        self._began = now
        self._next = 0

    @property
    def began(self) -> float:
        """When index 0 was taken."""
        return self._began

    def due(self, now: float) -> range:
        """Return the indices of what became due since the last call."""
        end = int((now - self._began) * self.rate_hz)
        first = self._next if end - self._next <= self._behind else end - self._behind
        self._next = max(first, end)
        return range(first, self._next)

    def seconds(self, index: int) -> float:
        """Return when `index` is due, in seconds since power-on."""
        return index / self.rate_hz
