"""Whether the site wants what was found: allowed, offered, accepted, refused, forgotten, remembered."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chevet.devices.recognise import BLUETOOTH_OPTIONS
from chevet.edge.box import BoxClock
from chevet.edge.discovery_memory import Accepted, FoundDevices
from chevet.edge.discovery_things import (
    BLUETOOTH,
    LISTENING,
    OFFERED,
    REFUSED,
    SERIAL,
    UNKNOWN,
    USED,
    Thing,
    found_shape,
)
from chevet.edge.discovery_use import InUse
from chevet.edge.discovery_watch import Buses, Watch
from chevet.edge.errors import Refusal, not_found
from chevet.edge.instruments import READY
from chevet.edge.settings import DiscoverySettings

log = logging.getLogger(__name__)

ORDER = (OFFERED, USED, LISTENING, UNKNOWN, REFUSED)


class Discovery:
    """Offers what is found to the worker and remembers what the site decided.

    Attributes:
        watch: what is on the buses.
    """

    def __init__(
        self,
        settings: DiscoverySettings,
        buses: Buses,
        memory: FoundDevices,
        use: InUse,
        owner: Callable[[Thing], str],
        clock: BoxClock,
        tell: Callable[[dict[str, Any]], None],
    ) -> None:
        """Start with nothing found; what was accepted earlier is taken up again.

        Args:
            settings: where to look, and what may be used without asking.
            buses: how to look.
            memory: what was decided.
            use: runs what is used.
            owner: returns the id of the configured instrument that a thing is, "" for none.
            clock: the box's.
            tell: takes messages for all screens.
        """
        self.watch = Watch(settings, buses, clock, self)
        self._settings = settings
        self._memory = memory
        self._use = use
        self._owner = owner
        self._clock = clock
        self._tell_screens = tell
        self._told: dict[str, dict[str, Any]] = {}
        if settings.on:
            for accepted in memory.used:
                self._use.take_up(accepted, self._where_is)

    @property
    def things(self) -> list[Thing]:
        """Return what is there now, offers first, then by bus and place."""
        return sorted(
            self.watch.things.values(),
            key=lambda one: (ORDER.index(one.state), one.bus, one.place, one.identity),
        )

    @property
    def used(self) -> list[Accepted]:
        """Return what the site uses of what was found, there or not."""
        return self._memory.used

    @property
    def offers(self) -> list[Thing]:
        """Return what waits for somebody's decision."""
        return [thing for thing in self.things if thing.state == OFFERED]

    def shape(self, thing: Thing) -> dict[str, Any]:
        """Return Found."""
        return found_shape(thing, self._clock.now_ms(), self._clock.monotonic())

    async def run(self) -> None:
        """Watch the buses until cancelled."""
        if self._settings.on:
            await self.watch.run()

    async def look(self) -> None:
        """Look at every bus once more.

        Raises:
            Refusal: the settings say not to look at all.
        """
        if not self._settings.on:
            raise Refusal(
                "discovery_off", "Finding instruments is switched off; set discovery.on = true in edge.toml."
            )
        await self.watch.look()

    def knows(self, thing: Thing) -> bool:
        """Settle a thing that has come by the configuration and by what is remembered."""
        accepted = self._memory.of(thing.identity)
        thing.device = self._owner(thing) or (accepted.device if accepted else "")
        if thing.device:
            thing.state = USED
            self.seen(thing)
        elif self._memory.is_refused(thing.identity):
            thing.state = REFUSED
        else:
            return False
        self._tell(thing)
        return True

    def judge(self, thing: Thing) -> None:
        """Settle a thing that nobody decided on: used, offered, or left alone."""
        if thing.state not in {USED, REFUSED}:
            driver = thing.recognition.driver
            if driver and thing.is_allowed(self._settings.allow):
                self._accept(thing, driver)
            elif thing.recognition.drivers and self._settings.offer:
                thing.state = OFFERED
            else:
                thing.state = UNKNOWN
        self._tell(thing)

    def seen(self, thing: Thing) -> None:
        """Try at once an instrument that is there again."""
        instrument = self._use.instruments.get(thing.device)
        if thing.state == USED and instrument is not None and instrument.state != READY:
            instrument.wake()

    def gone(self, thing: Thing) -> None:
        """Take back what the screens were told of it."""
        if self._told.pop(thing.id, None) is not None:
            self._tell_screens({"type": "gone", "found": thing.id})

    def thing(self, found_id: str) -> Thing:
        """Return one by its id.

        Raises:
            Refusal: it is not there (any more).
        """
        for thing in self.watch.things.values():
            if thing.id == found_id:
                return thing
        raise not_found("instrument on the buses")

    async def decide(self, found_id: str, *, use: bool, driver: str = "") -> Thing:
        """Use a thing or refuse it, and remember that.

        Raises:
            Refusal: not_found, not_recognised, choose_driver, configured.
            DiskFull: nothing was remembered.
        """
        thing = self.thing(found_id)
        accepted = self._memory.of(thing.identity)
        if thing.state == USED and accepted is None:
            raise configured()
        if not use:
            self._memory.refuse(thing.identity)
            if accepted is not None:
                await self._put_down(accepted)
            thing.state, thing.device = REFUSED, ""
        elif accepted is None:
            self._accept(thing, _chosen(thing, driver))
        self.watch.stop_listening(thing)
        self._tell(thing)
        return thing

    async def ask(self, found_id: str) -> Thing:
        """Ask a silent instrument on a serial port who it is, because a person wants it.

        Raises:
            Refusal: not_found, not_askable.
        """
        thing = self.thing(found_id)
        if thing.bus != SERIAL or thing.state == USED:
            raise Refusal(
                "not_askable", "Only a serial port that is not used yet can be asked; choose another."
            )
        await self.watch.ask(thing)
        return thing

    async def forget(self, device: str) -> None:
        """Forget an accepted instrument: it will be offered again.

        Raises:
            Refusal: it is named in the configuration, or there is none of this id.
        """
        accepted = next((one for one in self._memory.used if one.device == device), None)
        if accepted is None:
            raise configured() if device in self._use.instruments else not_found("instrument")
        self._memory.forget(accepted.identity)
        await self._put_down(accepted)
        thing = self.watch.things.get(accepted.identity)
        if thing is not None:
            self.watch.arrive(replace(thing, state=UNKNOWN, device=""))

    def _accept(self, thing: Thing, driver: str) -> None:
        options = BLUETOOTH_OPTIONS[driver] if thing.bus == BLUETOOTH else thing.recognition.options
        device = self._use.free_id(driver, {one.device for one in self._memory.used})
        accepted = Accepted(
            thing.identity, device, thing.bus, driver, options, thing.name, simulated=thing.simulated
        )
        self._memory.use(accepted)  # durable before anybody is told
        log.info("device %s: found on %s (%s), used", device, thing.bus, thing.recognition.reason)
        thing.state, thing.device = USED, device
        thing.recognition = thing.recognition.chosen(driver)
        self._use.take_up(accepted, self._where_is).announce()

    async def _put_down(self, accepted: Accepted) -> None:
        if accepted.device in self._use.instruments:
            await self._use.put_down(accepted.device)
        self._tell_screens({"type": "forgotten", "device": accepted.device})

    def _where_is(self, identity: str) -> str | None:
        accepted = self._memory.of(identity)
        if accepted is None:
            return None
        if accepted.bus == BLUETOOTH:  # its link looks for it by itself
            return f"ble:{identity.partition(':')[2]}?{accepted.options}"
        thing = self.watch.things.get(identity)
        return thing.link(accepted.options) if thing else None

    def _tell(self, thing: Thing) -> None:
        """Tell the screens of a change; of what nobody knows they hear nothing."""
        shape = self.shape(thing)
        lasting = {key: value for key, value in shape.items() if key not in {"rssi", "seen_ms"}}
        if thing.state in {UNKNOWN, LISTENING}:
            self.gone(thing)
        elif self._told.get(thing.id) != lasting:
            self._told[thing.id] = lasting
            self._tell_screens({"type": "found", "found": shape})


def configured() -> Refusal:
    """Refuse what only the configuration can change."""
    return Refusal(
        "configured", "This instrument is named in edge.toml; change it there and start the agent again."
    )


def _chosen(thing: Thing, driver: str) -> str:
    drivers = thing.recognition.drivers
    if not drivers:
        raise Refusal(
            "not_recognised", "Nothing here knows this instrument; name its driver and link in edge.toml."
        )
    if (driver and driver not in drivers) or (not driver and len(drivers) > 1):
        raise Refusal("choose_driver", f"Choose who it is: {', '.join(drivers)}.", field="driver")
    return driver or drivers[0]
