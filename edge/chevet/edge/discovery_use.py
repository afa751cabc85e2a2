"""The instruments that were found and accepted: made, run and forgotten while the agent works."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from chevet.bridge.errors import LinkUnavailable
from chevet.bridge.link import Link
from chevet.edge.discovery_memory import Accepted
from chevet.edge.discovery_things import BLUETOOTH, kind_of
from chevet.edge.instruments import Instrument
from chevet.edge.live import Live
from chevet.edge.settings import DeviceSettings

log = logging.getLogger(__name__)

Connect = Callable[[str], Link]
Make = Callable[[DeviceSettings, Connect], Instrument]
WhereIs = Callable[[str], str | None]
"""Returns what the link of an identity opens now, None while it is not there."""


@dataclass(eq=False)
class InUse:
    """Runs the accepted instruments beside those of the configuration.

    Attributes:
        instruments: all instruments of the box by id; the accepted ones are added here.
        make: makes one of its settings and of what opens its link.
        live: follows them for the screens.
        connect: opens links.
    """

    instruments: dict[str, Instrument]
    make: Make
    live: Live
    connect: Connect

    def __post_init__(self) -> None:
        """Start with nobody running."""
        self._group: asyncio.TaskGroup | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._waiting: list[Instrument] = []

    def free_id(self, driver: str, taken: set[str]) -> str:
        """Return the first free id of a kind of instrument, such as "oximeter-2"."""
        kind, number = kind_of(driver), 1
        while f"{kind}-{number}" in taken | self.instruments.keys():
            number += 1
        return f"{kind}-{number}"

    def take_up(self, accepted: Accepted, where_is: WhereIs) -> Instrument:
        """Make an accepted instrument and run it, now or when `run` begins."""
        settings = DeviceSettings(
            id=accepted.device,
            driver=accepted.driver,
            link=stable_link(accepted),
            simulated=accepted.simulated,
        )
        instrument = self.make(settings, self._connector(accepted, where_is))
        instrument.found = True
        self.instruments[accepted.device] = instrument
        self.live.follow_too(instrument)
        self._start(instrument)
        return instrument

    async def put_down(self, device: str) -> None:
        """End an instrument and take it off the box's list."""
        instrument = self.instruments.pop(device)
        task = self._tasks.pop(device, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        for listener in instrument.listeners:
            listener.lost(device, "closed")
        instrument.listeners.clear()
        self.live.unfollow(device)

    async def run(self) -> None:
        """Run them all until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            waiting, self._waiting = self._waiting, []
            for instrument in waiting:
                self._start(instrument)
            await asyncio.Event().wait()

    def _start(self, instrument: Instrument) -> None:
        if self._group is None:
            self._waiting.append(instrument)
            return
        self._tasks[instrument.id] = self._group.create_task(instrument.run(), name=f"device {instrument.id}")

    def _connector(self, accepted: Accepted, where_is: WhereIs) -> Connect:
        def open_now(url: str) -> Link:
            link = where_is(accepted.identity)
            if link is None:
                raise LinkUnavailable(url, "not_found")
            return self.connect(link)

        return open_now


def stable_link(accepted: Accepted) -> str:
    """Return a link that is the same wherever the instrument is plugged in: it names, and is not opened."""
    scheme, _, rest = accepted.identity.partition(":")
    if accepted.bus == BLUETOOTH:
        return f"ble:{rest}?{accepted.options}"
    if scheme in {"camera", "sound"}:
        return f"{'v4l2' if scheme == 'camera' else 'alsa'}:{rest}"
    return f"serial:{accepted.identity}?{accepted.options}"
