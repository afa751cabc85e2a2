"""Which of several routes to the broker is used: the first that is healthy, without flapping; no I/O.

A route is judged by what it does: a connection that fell silent or ended, an attempt that failed,
acknowledgements that take too long. While a less preferred one is used, the others are tried out beside it,
and taken again once they have been good for a while; each relapse makes that while longer (hysteresis with
penalty, as in BGP route flap damping, RFC 2439).
"""

from dataclasses import dataclass
from typing import Final

HOLD_S: Final = 60.0
"""A route that failed must have been good for so long before it is preferred again."""
HOLD_LONGEST_S: Final = 900.0
FORGIVEN_S: Final = 1800.0
"""Used so long without failing, a route starts with the shortest hold again."""
TRY_EVERY_S: Final = 15.0
TRY_SLOWEST_S: Final = 60.0
"""Between two trials of a route that was not good for ten minutes."""
LONG_BAD_S: Final = 600.0
SLOW_S: Final = 15.0
"""A route is slow whose acknowledgements usually take longer: a full window at 16 kbit/s takes 5 s."""
SLOW_FOR_S: Final = 30.0
SETTLED_S: Final = 30.0
"""A connection that lived so long and then ended is tried once more on the same route: brokers restart."""
_EVER: Final = float("-inf")


@dataclass(slots=True)
class _Health:
    """What is known of one route; it is good since a time, or not at all."""

    good_since: float | None = _EVER
    bad_since: float = _EVER
    bad_at: float = _EVER
    hold_s: float = 0.0
    try_at: float = _EVER
    found_good_at: float = _EVER


class Choosing:
    """Chooses among routes numbered in order of preference; its host tells it everything that happens."""

    def __init__(self, count: int) -> None:
        """Choose among `count` routes, all of them believed good at first.

        Raises:
            ValueError: there is none.
        """
        if count < 1:
            raise ValueError("there must be a route to choose")
        self._routes = [_Health() for _ in range(count)]
        self._using = 0
        self._connected_at: float | None = None
        self._slow_since: float | None = None
        self.changes = 0
        """How often another route was taken."""

    @property
    def using(self) -> int:
        """The route in use."""
        return self._using

    def choose(self, now: float) -> int:
        """Return the route to be on now; a better one is taken once it has been good for long enough."""
        for route in range(self._using):
            if self._trusted(route, now):
                self._change(route)
                break
        if self._slow(now):
            better = [one for one in self._others() if self._tried_good(one, now)]
            if better:
                self._fail(self._using, now)
                self._change(better[0])
        return self._using

    def connected(self, now: float) -> None:
        """The broker accepted us on the route in use."""
        self._connected_at, self._slow_since = now, None
        health = self._routes[self._using]
        if health.good_since is None:
            health.good_since = now

    def measured(self, usual_s: float, now: float) -> None:
        """Acknowledgements on the route in use usually take so long, 0 where none came yet."""
        if usual_s <= SLOW_S:
            self._slow_since = None
        elif self._slow_since is None:
            self._slow_since = now

    def ended(self, now: float, *, silent: bool) -> None:
        """The connection on the route in use ended by itself, or was silent for too long."""
        lived = self._connected_at is not None and now - self._connected_at >= SETTLED_S
        self._connected_at = None
        if silent or not lived:
            self._next(now)

    def unreached(self, now: float) -> None:
        """An attempt to connect over the route in use failed."""
        self._connected_at = None
        self._next(now)

    def left(self) -> None:
        """The connection was given up for another route, or in order."""
        self._connected_at, self._slow_since = None, None

    def to_try(self, now: float) -> int | None:
        """Return a route to try out beside the one in use, if it is time to; tell the outcome by `tried`."""
        wanted = list(self._others()) if self._slow_since is not None else list(range(self._using))
        for route in wanted:
            health = self._routes[route]
            if now >= health.try_at:
                long_bad = health.good_since is None and now - health.bad_since > LONG_BAD_S
                health.try_at = now + (TRY_SLOWEST_S if long_bad else TRY_EVERY_S)
                return route
        return None

    def tried(self, route: int, now: float, *, good: bool) -> None:
        """Tell how a trial went."""
        health = self._routes[route]
        if route == self._using:
            return  # changed meanwhile: what happens on it says more
        if not good:
            self._turn_bad(health, now)
            return
        health.found_good_at = now
        if health.good_since is None:
            health.good_since = now

    def _others(self) -> tuple[int, ...]:
        return tuple(route for route in range(len(self._routes)) if route != self._using)

    def _trusted(self, route: int, now: float) -> bool:
        health = self._routes[route]
        return health.good_since is not None and now - health.good_since >= health.hold_s

    def _tried_good(self, route: int, now: float) -> bool:
        """Tell whether a trial of late found a route good that is not in its hold."""
        lately = now - self._routes[route].found_good_at <= 2 * TRY_EVERY_S
        return lately and self._trusted(route, now)

    def _slow(self, now: float) -> bool:
        return self._slow_since is not None and now - self._slow_since >= SLOW_FOR_S

    def _next(self, now: float) -> None:
        """Leave a route that failed for the best of the others; among bad ones in turn."""
        self._fail(self._using, now)
        if len(self._routes) > 1:
            self._change(min(self._others(), key=lambda route: self._worth(route, now)))

    def _worth(self, route: int, now: float) -> tuple[int, float, int]:
        health = self._routes[route]
        rank = 0 if self._trusted(route, now) else 1 if health.good_since is not None else 2
        return rank, health.bad_at if rank == 2 else 0.0, route

    def _fail(self, route: int, now: float) -> None:
        health = self._routes[route]
        forgiven = now - health.bad_at > FORGIVEN_S
        if health.good_since is not None or forgiven:  # failing again while bad is no new relapse
            longer = HOLD_S if forgiven else 2 * health.hold_s
            health.hold_s = min(max(longer, HOLD_S), HOLD_LONGEST_S)
        self._turn_bad(health, now)

    def _turn_bad(self, health: _Health, now: float) -> None:
        if health.good_since is not None:
            health.bad_since = now
        health.good_since, health.bad_at = None, now
        health.try_at = now + TRY_EVERY_S

    def _change(self, route: int) -> None:
        if route != self._using:
            self.changes += 1
        self._using = route
        self._connected_at = self._slow_since = None
