"""One task a device: open its link, feed its driver, hand events on, and come back after every loss."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from chevet.bridge.clock import DeviceClock
from chevet.bridge.errors import LinkError, LinkUnavailable
from chevet.bridge.link import Link
from chevet.devices.driver import Driver
from chevet.devices.memory import is_stored
from chevet.devices.samples import Event, Notice, Reading, SampleBlock
from chevet.edge.device_memory import DeviceMemory, ask_time, brief, set_clock
from chevet.edge.errors import SettingsError
from chevet.edge.settings import DeviceSettings

log = logging.getLogger(__name__)

FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 5.0
TICK_S = 0.25  # docs/seams.md: tick is called about 4 times a second
SILENT_AFTER_S = 6.0
REOPEN_AFTER_S = 20.0
"""A link that says nothing for this long is closed and opened again: some adapters only wake up that way."""

ABSENT, CONNECTING, READY, BROKEN = "absent", "connecting", "ready", "failed"
_GONE = {"not_found", "unplugged", "disconnected", "ended", "stalled"}
"""Reasons that mean "not there now"; all others need a person."""


class Listener(Protocol):
    """Who wants a device's events; both calls return at once."""

    def offer(self, device: str, event: Event) -> None:
        """Take one event."""
        ...

    def lost(self, device: str, problem: str) -> None:
        """Learn that the device went away."""
        ...


class Instrument:
    """One device of the site.

    Attributes:
        id: from the configuration.
        kind: oximeter, ecg, stethoscope or otoscope.
        state: absent, connecting, ready or failed.
        problem: coded reason while not ready, "" otherwise.
        identity: model, serial, firmware as far as the device told them.
        simulated: the configuration, or the device itself, says that it is not real; never taken back.
        battery_pct: or None.
        rates: sampling rate of each channel, in Hz.
        lost_samples: since the agent started.
        bad_frames: since the agent started.
        last_packet_at: monotonic time of the last packet in seconds, or None.
        listeners: who gets the events.
        clock: the device's clock on the host's; None before the first samples.
        memory: keeps what the device had stored, apart from what it measures; None hands it to the listeners.
        clock_offset_s: how much the device's own clock was ahead of the box's when it told its time, or None.
    """

    def __init__(
        self,
        settings: DeviceSettings,
        drivers: Mapping[str, Callable[[], Driver]],
        connect: Callable[[str], Link],
        monotonic: Callable[[], float],
        changed: Callable[["Instrument"], None],
    ) -> None:
        if settings.driver not in drivers:
            known = ", ".join(sorted(drivers))
            raise SettingsError(
                f"The driver '{settings.driver}' of device '{settings.id}' is not known; known are: {known}."
            )
        self.settings = settings
        self.id = settings.id
        self._make = drivers[settings.driver]
        self._connect = connect
        self._monotonic = monotonic
        self._changed = changed
        self._driver = self._make()
        self._heard_anything = False
        self._earlier_lost = self._earlier_bad = 0
        self.kind = settings.instrument or self._driver.instrument
        self.state, self.problem = CONNECTING, ""
        self.identity = {"model": "", "serial": "", "firmware": ""}
        self.simulated = settings.simulated
        self.battery_pct: float | None = None
        self.rates: dict[str, float] = {}
        self.last_packet_at: float | None = None
        self.listeners: list[Listener] = []
        self.clock: DeviceClock | None = None
        self.memory: DeviceMemory | None = None
        self.clock_offset_s: float | None = None

    @property
    def lost_samples(self) -> int:
        """Return samples known to be lost, over all connections."""
        return self._earlier_lost + self._driver.counters.lost_samples

    @property
    def bad_frames(self) -> int:
        """Return frames that failed their check, over all connections."""
        return self._earlier_bad + self._driver.counters.bad_frames

    @property
    def scheme(self) -> str:
        """Return the link's scheme and the device id: all of the link that may travel with a recording."""
        return f"{self.settings.link.partition(':')[0]}:{self.id}"

    async def run(self) -> None:
        """Keep the device connected until cancelled."""
        wait_s = FIRST_WAIT_S
        while True:
            await self._once()
            wait_s = FIRST_WAIT_S if self._heard_anything else min(wait_s * 2, LONGEST_WAIT_S)
            await asyncio.sleep(wait_s)

    async def _once(self) -> None:
        """One connection from opening to loss."""
        self._heard_anything = False
        try:
            link = self._connect(self.settings.link)
        except LinkError as error:
            self._left(error.reason)
            return
        try:
            await link.open()
            self._set(CONNECTING, "")
            await self._serve(link)
        except* LinkError as group:
            self._left(_first(group).reason)
        except* OSError:
            self._left("failed")
        except* Exception as group:
            # A fault of a driver or link must not take the other instruments down with it.
            log.exception("device %s: unexpected fault", self.id, exc_info=group)
            self._renew_driver()
            self._left("driver_fault")
        finally:
            with contextlib.suppress(LinkError, OSError):
                await link.aclose()

    async def _serve(self, link: Link) -> None:
        if self.memory is not None:
            brief(self._driver, self.settings.link, self.memory)
            await set_clock(self._driver, link, self.memory)
        start = self._driver.start()
        if start:
            await link.send(start)
        await ask_time(self._driver, link)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._tick(link), name=f"tick {self.id}")
                group.create_task(self._receive(link), name=f"receive {self.id}")
        finally:
            stop = self._driver.stop()
            if stop:
                # The device may be gone already; then there is nobody to tell.
                with contextlib.suppress(LinkError, OSError, TimeoutError):
                    await asyncio.wait_for(link.send(stop), 1.0)

    async def _receive(self, link: Link) -> None:
        while True:
            packet = await link.receive()
            self.last_packet_at = packet.at
            for event in self._driver.feed(packet):
                self._take(event)

    async def _tick(self, link: Link) -> None:
        opened = self._monotonic()
        while True:
            await asyncio.sleep(TICK_S)
            now = self._monotonic()
            words = self._driver.tick(now)
            if words:
                await link.send(words)
            silent_s = now - max(self.last_packet_at or opened, opened)
            if silent_s > REOPEN_AFTER_S:
                raise LinkUnavailable(self.settings.link, "silent")
            if silent_s > SILENT_AFTER_S:
                self._set(BROKEN, "silent")

    def _take(self, event: Event) -> None:
        self._heard_anything = True
        match event:
            case SampleBlock():
                self._keep_time(event)
            case Reading(kind="battery"):
                self.battery_pct = event.value
            case Notice(code="identified"):
                self._identified(event.detail)
            case Notice(code="device_time") if self.memory is not None:
                self.clock_offset_s = self.memory.offset_s(event.detail, event.at, self._monotonic())
        if isinstance(event, Notice) and event.code == "refused" and event.on:
            log.warning("device %s: refuses to work (%s)", self.id, event.detail)
            self._set(BROKEN, "refused")
        else:
            self._set(READY, "")
        if self.memory is not None and is_stored(event):
            self.memory.take(self.id, self.settings.link, self.clock_offset_s, event)
            return
        for listener in tuple(self.listeners):
            listener.offer(self.id, event)

    def _identified(self, detail: str) -> None:
        words = {key: value for key, _, value in (word.partition("=") for word in detail.split(";"))}
        self.identity |= {key: words[key] for key in self.identity if key in words}
        self.simulated = self.simulated or words.get("simulated") == "1"
        self._changed(self)

    def _keep_time(self, block: SampleBlock) -> None:
        self.rates = {channel.name: channel.rate_hz for channel in block.channels}
        if self.clock is None or self.clock.nominal_hz != block.channels[0].rate_hz:
            self.clock = DeviceClock(block.channels[0].rate_hz)
        self.clock.add(block.first + block.values.shape[1], block.at)

    def _left(self, reason: str) -> None:
        was_ready = self.state == READY
        self._set(ABSENT if reason in _GONE else BROKEN, reason)
        if was_ready:
            log.warning("device %s: lost (%s)", self.id, reason)
        for listener in tuple(self.listeners):
            listener.lost(self.id, reason)

    def _set(self, state: str, problem: str) -> None:
        if (state, problem) != (self.state, self.problem):
            if state == READY:
                log.info("device %s: ready", self.id)
            self.state, self.problem = state, problem
            self._changed(self)

    def _renew_driver(self) -> None:
        self._earlier_lost, self._earlier_bad = self.lost_samples, self.bad_frames
        self._driver = self._make()
        self.clock = None


def _first(group: BaseExceptionGroup[LinkError]) -> LinkError:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
