"""The routes to the broker that a line may take, and the trials of those it does not use."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chevet.exchange.choosing import Choosing
from chevet.exchange.connection import BrokerAddress
from chevet.exchange.dial import reaches


@dataclass(frozen=True, slots=True)
class Route:
    """One way to the broker.

    Attributes:
        name: shown on screens; "" where there is but one.
        address: the broker as this way reaches it, with the interface or address it leaves by.
        bulk: False where only control, summaries and previews may go, because bytes cost money.
    """

    name: str
    address: BrokerAddress
    bulk: bool = True

    @property
    def told(self) -> str:
        """What a log adds about it."""
        return f" over {self.name}" if self.name else ""


class Routes:
    """Knows which route to take and tries the others out, one at a time each."""

    def __init__(self, routes: Sequence[Route], reach: Callable[[BrokerAddress], bool] | None = None) -> None:
        """Take the routes in order of preference.

        Args:
            routes: at least one.
            reach: tells whether somebody listens there, blocking; by default by opening a TCP connection.

        Raises:
            ValueError: there is none.
        """
        self.choosing = Choosing(len(routes))
        self._routes = tuple(routes)
        self._reach = reach or _reaches
        self._trials: set[asyncio.Task[None]] = set()

    def choose(self, now: float) -> Route:
        """Return the route to be on now."""
        return self._routes[self.choosing.choose(now)]

    def tend(self, usual_s: float, now: float) -> None:
        """Note how long acknowledgements usually take on the route in use; try another out if it is time."""
        self.choosing.measured(usual_s, now)
        number = self.choosing.to_try(now)
        if number is not None:
            trial = asyncio.get_running_loop().create_task(self._try(number))
            self._trials.add(trial)
            trial.add_done_callback(self._trials.discard)

    def close(self) -> None:
        """End all trials."""
        for trial in self._trials:
            trial.cancel()

    async def _try(self, number: int) -> None:
        good = await asyncio.to_thread(self._reach, self._routes[number].address)
        self.choosing.tried(number, asyncio.get_running_loop().time(), good=good)


def _reaches(address: BrokerAddress) -> bool:
    return reaches(address.host, address.port, address.outlet)
