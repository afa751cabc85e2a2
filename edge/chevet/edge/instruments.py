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
from chevet.devices.recognise import SPOT
from chevet.devices.samples import Event, Notice, Reading, SampleBlock
from chevet.edge.device_memory import DeviceMemory, ask_time, brief, set_clock
from chevet.edge.discovery_memory import Calibrations
from chevet.edge.errors import SettingsError
from chevet.edge.rate_watch import RateWatch
from chevet.edge.settings import DeviceSettings

log = logging.getLogger(__name__)

FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 5.0
TICK_S = 0.25  # docs/seams.md: tick is called about 4 times a second
SILENT_AFTER_S = 6.0
REOPEN_AFTER_S = 20.0
"""A link that says nothing for this long is closed and opened again: some adapters only wake up that way."""

ABSENT, CONNECTING, READY, BROKEN = "absent", "connecting", "ready", "failed"
WAITING = "waiting"
"""How a meter is that speaks only after a measurement."""
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
        kind: oximeter, ecg, stethoscope, otoscope or another of the drivers' instruments.
        state: absent, waiting, connecting, ready or failed.
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
        rate: whether it keeps the rate that it claims.
        found: it was found and accepted, not named in the configuration.
        calibrations: knows the day of the last one; None where nobody notes them.
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
        self.rate = RateWatch()
        self.found = False
        self.calibrations: Calibrations | None = None
        self._settings = ""
        self._streams: bool | None = None  # as far as it was heard
        self._wake = asyncio.Event()
        self.state, self.problem = WAITING if self.spot else CONNECTING, ""
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

    @property
    def spot(self) -> bool:
        """Whether it speaks only after a measurement; an oximeter of PLX shows it by what it sends."""
        return self.settings.driver in SPOT or (self.settings.driver == "plx" and self._streams is False)

    @property
    def calibrated_on(self) -> str | None:
        """Return the day of this unit's last calibration (ISO 8601), None where none was noted."""
        return self.calibrations.day(self.id, self.identity["serial"]) if self.calibrations else None

    def serves(self, *, training: bool, label: str) -> bool:
        """Tell whether it may be used: in training only simulated ones, elsewhere none kept for training.

        `label` is the box's own: where everything is HTEST, every instrument serves both.
        """
        if label:
            return True
        return self.simulated if training else not self.settings.training

    def words(self) -> dict[str, str]:
        """Return what a recording carries of the device; "settings" are its own gain and filters, coded."""
        more = {"calibrated_on": self.calibrated_on or "", "settings": self._settings}
        if self.rate.wrong and self.rate.measured_hz is not None:
            more["measured_hz"] = f"{self.rate.measured_hz:.2f}"
        return self.identity | {key: value for key, value in more.items() if value}

    def announce(self) -> None:
        """Tell of it before anything has changed: it is new."""
        self._changed(self)

    def wake(self) -> None:
        """Learn that it is there again: a wait before the next attempt ends now."""
        self._wake.set()

    async def run(self) -> None:
        """Keep the device connected until cancelled."""
        wait_s = FIRST_WAIT_S
        while True:
            self._wake.clear()
            await self._once()
            # A meter advertises for some seconds after a measurement: whoever pauses misses it.
            patient = self._heard_anything or self.spot
            wait_s = FIRST_WAIT_S if patient else min(wait_s * 2, LONGEST_WAIT_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

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
            self.rate.begin()
            self._set(WAITING if self.spot else CONNECTING, "")
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
            await self._until_lost(link)
        finally:
            stop = self._driver.stop()
            if stop:
                # The device may be gone already; then there is nobody to tell.
                with contextlib.suppress(LinkError, OSError, TimeoutError):
                    async with asyncio.timeout(1.0):
                        await link.send(stop)

    async def _until_lost(self, link: Link) -> None:
        """Receive and tick until one of them fails.

        No TaskGroup: before Python 3.13 it loses a cancellation that comes just as the link breaks (3.13's
        notes on asyncio.TaskGroup), and the device would be opened again by a task that should have ended.
        """
        tasks = (
            asyncio.create_task(self._tick(link), name=f"tick {self.id}"),
            asyncio.create_task(self._receive(link), name=f"receive {self.id}"),
        )
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _receive(self, link: Link) -> None:
        while True:
            packet = await link.receive()
            self.last_packet_at = packet.at
            for event in self._driver.feed(packet):
                self._take(event)

    async def _tick(self, link: Link) -> None:
        opened = now = self._monotonic()
        paused = False
        while True:
            before = now
            await asyncio.sleep(TICK_S)
            now = self._monotonic()
            paused = now - before > 2 * TICK_S and not paused
            if paused:
                continue  # this host stood still, not the device: first what waits unread
            words = self._driver.tick(now)
            if words:
                await link.send(words)
            if self.spot or (self.settings.driver == "plx" and not self._streams):
                continue  # silent for minutes by nature
            silent_s = now - max(self.last_packet_at or opened, opened)
            if silent_s > REOPEN_AFTER_S:
                raise LinkUnavailable(self.settings.link, "silent")
            if silent_s > SILENT_AFTER_S:
                self._set(BROKEN, "silent")

    def _take(self, event: Event) -> None:
        self._heard_anything = True
        verdict = self._note(event)
        if isinstance(event, Notice) and event.code == "refused" and event.on:
            log.warning("device %s: refuses to work (%s)", self.id, event.detail)
            self._set(BROKEN, "refused")
        else:
            self._set(READY, "")
        if self.memory is not None and is_stored(event):
            self.memory.take(self.id, self.settings.link, self.clock_offset_s, event)
            fresh = self.memory.fresh(self.kind, event, self.clock_offset_s, self._monotonic())
            if fresh is None:
                return
            event = fresh
        for listener in tuple(self.listeners):
            listener.offer(self.id, event)
        if verdict is not None:
            log.warning("device %s: rate_wrong %s (%s)", self.id, verdict.on, verdict.detail)
            self._changed(self)
            for listener in tuple(self.listeners):
                listener.offer(self.id, verdict)

    def _note(self, event: Event) -> Notice | None:
        """Remember what an event says of the device; return a new verdict on its rate."""
        match event:
            case SampleBlock():
                self._streams = True
                self._keep_time(event)
                return self.rate.take(event)
            case Reading(kind="battery"):
                self.battery_pct = event.value
            case Reading():
                self._streams = self._streams or "spot_check" not in event.status
            case Notice(code="identified"):
                self._identified(event.detail)
            case Notice(code="rate_wrong"):
                self.rate.believe(event)
            case Notice(code="device_time") if self.memory is not None:
                self.clock_offset_s = self.memory.offset_s(event.detail, event.at, self._monotonic())
        return None

    def _identified(self, detail: str) -> None:
        words = {key: value for key, _, value in (word.partition("=") for word in detail.split(";"))}
        self.identity |= {key: words[key] for key in self.identity if key in words}
        others = words.keys() - self.identity.keys() - {"simulated"}
        self._settings = ";".join(f"{key}={words[key]}" for key in words if key in others and words[key])
        self.simulated = self.simulated or words.get("simulated") == "1"
        self._changed(self)

    def _keep_time(self, block: SampleBlock) -> None:
        self.rates = {channel.name: channel.rate_hz for channel in block.channels}
        if self.clock is None or self.clock.nominal_hz != block.channels[0].rate_hz:
            self.clock = DeviceClock(block.channels[0].rate_hz)
        self.clock.add(block.first + block.values.shape[1], block.at)

    def _left(self, reason: str) -> None:
        was_ready = self.state == READY
        if self.spot and reason in _GONE:
            was_ready = False  # it has said what it had and switched its radio off
            self._set(WAITING, "")
        else:
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
