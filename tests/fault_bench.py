"""A virtual instrument, its real link and its driver on a clock of their own, as fast as the pipe is.

The simulator is stepped by a clock that the test owns; what it writes goes through the real terminal or radio
and the kit's own link. The bench waits until every byte has arrived and then feeds the driver with the time
of the step. So minutes pass in a second, and every run is the same.
"""

import asyncio
import contextlib
import fcntl
import struct
import termios

from fault_witness import Witness, watch

from chevet.bridge.errors import LinkError, LinkLost
from chevet.bridge.link import open_link
from chevet.bridge.packet import Packet
from chevet.devices.driver import DRIVERS
from chevet.sim import serve
from chevet.sim.bedside import Bedside
from chevet.sim.bumble_backend import bluetooth
from chevet.sim.device_clock import DeviceClock
from chevet.sim.plx_sensor import PlxSensor
from chevet.sim.radio import RadioSocket
from chevet.sim.twins import gatt_peripheral

BEGAN = 1000.0
STEP_S = 0.05
TICK_S = 0.25
ARRIVES_WITHIN_S = 20.0
"""Only a machine that hangs needs so long."""


class OwnTime(Bedside):
    """A bedside whose devices live by the test's clock."""

    time = None

    def clock(self):
        return DeviceClock(self.time)


class Bench:
    """One instrument, its link and its driver.

    Attributes:
        now: the test's clock.
        events: all that the driver told, in order.
        lost: reasons for which the link ended.
        heard: bytes that arrived.
    """

    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        self.now = BEGAN
        self.events, self.lost, self.heard = [], [], 0
        self.link, self._absent = None, 0
        self.witness = Witness()
        self._taken_away = contextlib.AsyncExitStack()

    async def make(self, patch):
        """Make the instrument and its driver."""
        watch(patch, self.witness)
        self.bedside = OwnTime(self.folder, 7, self.now)
        self.bedside.time = lambda: self.now
        radio = RadioSocket(self.bedside.air, self.folder / "radio.sock")
        if self.name in serve.offered.BLUETOOTH or self.name == "oximeter-ble":
            self.bedside.radio = radio.spec
            await radio.start()
            self._taken_away.push_async_callback(radio.aclose)
        plan = serve.Plan(self.folder, devices=(self.name,))
        self.instrument = await serve._made(self.name, plan, self.bedside, self._taken_away)
        self.driver = DRIVERS[self.instrument.driver]()
        self.backend = bluetooth(radio.spec) if self.bedside.radio else None
        self._next_tick = self.now

    async def set_fault(self, name, on=True, value=""):
        await self.instrument.set_fault(name, on, value)

    async def open(self):
        """Open the link as the agent does; says whether that worked."""
        self.link = open_link(self.instrument.url, bluetooth=self.backend)
        try:
            await self.link.open()
            self.opened()
            await self.say(self.driver.start())
        except LinkError as error:
            await self.ended(error.reason)
        return self.link is not None

    def opened(self):
        """Learn that the link has been opened."""

    async def ended(self, reason):
        self.lost.append(reason)
        self._absent = 2  # the device notices it before it is asked again
        link, self.link = self.link, None
        if link is not None:
            await link.aclose()

    async def say(self, data):
        if data:
            await self.link.send(data)
            await self.arrived(data)

    async def run(self, seconds):
        """Let time pass; return the events of it."""
        before, end = len(self.events), self.now + seconds
        while self.now < end - 1e-9:
            self.now += STEP_S
            self._absent -= 1
            if self.link is None and self._absent < 0 and self.there():
                await self.open()
            try:
                await self.pass_on()
            except LinkLost as error:
                await self.ended(error.reason)
        return self.events[before:]

    async def pass_on(self):
        """One step: device, wire, link, driver."""
        await self.step()
        if self.link is None:
            return
        for packet in await self.received():
            self.heard += len(packet.data)
            self.events += self.driver.feed(Packet(packet.data, self.now, packet.source))
        if self.now >= self._next_tick:
            self._next_tick += TICK_S
            await self.say(self.driver.tick(self.now))

    async def drain(self, enough):
        """Return packets until `enough` says that nothing is on its way."""
        packets = []
        async with asyncio.timeout(ARRIVES_WITHIN_S):
            while not enough(packets):
                packets.append(await self.link.receive())
        return packets

    async def aclose(self):
        if self.link is not None:
            await self.link.aclose()
        await self._taken_away.aclose()

    @property
    def disturbed(self):
        """How many frames or notifications the faults of the wire have touched."""
        return self.faults.disturbed

    async def reopen(self):
        """Close the link and let it be opened again, as the agent does when a meter has measured."""
        await self.ended("reopened")


class WireBench(Bench):
    """On a pseudo-terminal."""

    async def make(self, patch):
        await super().make(patch)
        self.runner, self.port = self.instrument.run.__self__, self.instrument.port
        self.runner._host, self.faults = self.bedside.time, self.runner.faults
        self.written = 0
        write = self.port.write

        def counted(data):
            before = self.port.dropped_bytes
            write(data)
            self.written += len(data) - (self.port.dropped_bytes - before)

        patch.setattr(self.port, "write", counted)
        self.runner._stepped_at = self.runner._free_at = self.now
        self.runner.plug()

    def there(self):
        return self.port.plugged

    def opened(self):
        self.written = 0

    async def arrived(self, data):
        """Wait until the device's end of the cable holds what was said."""
        async with asyncio.timeout(ARRIVES_WITHIN_S):
            while self.port.plugged and _waiting(self.port._master) < len(data):  # noqa: ASYNC110 - a kernel's
                await asyncio.sleep(0)

    async def step(self):
        self.runner.step()

    async def received(self):
        if not self.port.attached():
            async with asyncio.timeout(ARRIVES_WITHIN_S):
                await self.link.receive()  # what is under way, then its end
        wanted, self.written = self.written, 0
        return await self.drain(lambda packets: sum(len(one.data) for one in packets) >= wanted)

    async def aclose(self):
        await super().aclose()
        self.runner.unplug()


def _waiting(descriptor):
    return struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0\0\0\0"))[0]


class AirBench(Bench):
    """On the virtual radio."""

    async def make(self, patch):
        patch.setattr(gatt_peripheral, "ADVERTISING_MS", 20)  # found sooner
        await super().make(patch)
        run = self.instrument.run
        cells = [cell.cell_contents for cell in getattr(run, "__closure__", None) or ()]
        found = [getattr(run, "__self__", None), *cells]
        (self.device,) = [one for one in found if hasattr(one, "hang_up")]
        self.sent, self._second, self.faults = 0, int(self.now), self.device.faults
        for name in ("notify_subscribers", "indicate_subscribers"):
            patch.setattr(self.device._device, name, self._counted(getattr(self.device._device, name)))

    def _counted(self, send):
        async def counted(characteristic, value):
            heard = self.link is not None and _uuid(characteristic.uuid) in self.link._notify
            self.sent += heard and self.there() and self.connected()
            await send(characteristic, value)

        return counted

    def there(self):
        return self.device._controller not in self.bedside.air.blocked

    def connected(self):
        return bool(self.device._device.connections)

    def opened(self):
        self.sent = len(self.link._packets)  # what the link has read when it opened

    async def arrived(self, _data):
        await asyncio.sleep(0.001)

    async def step(self):
        if not self.there():
            return  # an indication would wait for its confirmation
        if not isinstance(self.device, PlxSensor):
            await self.device._step(self.now)
        elif int(self.now) > self._second:  # it has no step of its own: it sends once a second
            self._second = int(self.now)
            await self.device._send(self._second)
            await self.device._tire(self.now)

    async def received(self):
        wanted, self.sent = self.sent, 0
        gone = not self.connected()
        return await self.drain(lambda packets: not gone and len(packets) >= wanted)

    async def aclose(self):
        await super().aclose()
        self.device._cut() if hasattr(self.device, "_cut") else None
        await self.device._device.power_off()


def _uuid(uuid):
    text = uuid.to_hex_str("-").lower()
    return text if len(text) > 8 else f"{int(text, 16):08x}-0000-1000-8000-00805f9b34fb"


def bench(name, folder):
    if name in serve.offered.BLUETOOTH or name == "oximeter-ble":
        return AirBench(name, folder)
    return WireBench(name, folder)
