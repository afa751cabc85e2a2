"""The firmware on an emulated chip, read by the kit's own link and driver over a real pseudo-terminal."""

import asyncio
import contextlib
import itertools
import re
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from chevet.bridge.errors import LinkLost
from chevet.bridge.frame import MAX_FRAME, FrameDecoder
from chevet.bridge.link import Link, open_link
from chevet.bridge.packet import Packet
from chevet.devices import kit_messages
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Event, Notice, SampleBlock
from chevet.edge.instruments import Instrument
from chevet.edge.settings import DeviceSettings
from chevet.sim import kit_wire as wire

MACHINE = "netduinoplus2"
"""QEMU's STM32F405."""
PATIENCE_S = 60.0
"""Emulated time is lost when this machine is busy, so nothing is timed; this only ends a hopeless wait."""
TICK_S = 0.1
DRAIN_S = 5.0

BoardKind = TypeVar("BoardKind", bound="Board")


class Board:
    """A powered board: the host's line to USART1, and the sample clock, which is the test's, on USART2."""

    def __init__(self, instrument: str, terminal: str, folder: Path) -> None:
        self.driver = DRIVERS[f"kit-{instrument}"]()
        self.link = open_link(f"serial:{terminal}?baud=921600")
        self.raw = bytearray()
        self.events: list[Event] = []
        self._folder = folder
        self._sensor: asyncio.StreamWriter | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, sensor_says: bytes = b"") -> None:
        """Open both lines and let the driver begin, after the sensor has said this."""
        _, self._sensor = await self._connect("sensor")
        await self.link.open()
        if sensor_says:
            await self._until_off(1, b"L\x01\x00")  # the chip has booted and listens
            await self._until_off(0, sensor_says + b"L\x00\x00")
        await self.link.send(self.driver.start())
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._tick())]

    async def _connect(self, name: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with asyncio.timeout(PATIENCE_S):
            while True:  # the terminal is there a little earlier than the sockets
                with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
                    return await asyncio.open_unix_connection(self._folder / name)
                await asyncio.sleep(0.01)

    async def _until_off(self, off: int, words: bytes) -> None:
        """Say `words` until a status tells these contacts."""
        told, decoder = -1, FrameDecoder()
        async with asyncio.timeout(PATIENCE_S):
            while told != off:
                await self.inject(words)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(TICK_S):
                        packet = await self.link.receive()
                    statuses = [one for one in decoder.feed(packet.data) if one.type == wire.STATUS]
                    told = next((one.payload[16] for one in reversed(statuses)), told)

    async def _read(self) -> None:
        while True:
            packet = await self.link.receive()
            self.raw += packet.data
            self.events += self.driver.feed(packet)

    async def _tick(self) -> None:
        now = time.monotonic()
        while True:
            before = now
            await asyncio.sleep(TICK_S)
            now = time.monotonic()
            if now - before > 2 * TICK_S:
                continue  # this machine stood still: first what waits unread, as the agent does it
            if words := self.driver.tick(now):
                await self.link.send(words)

    async def until(self, so: Callable[[], bool], seconds: float | None = None) -> None:
        """Wait until `so()`; a reading that broke is raised here."""
        async with asyncio.timeout(PATIENCE_S if seconds is None else seconds):
            while not so():
                await asyncio.sleep(0.01)
                for task in self._tasks:
                    if task.done():
                        task.result()

    async def until_running(self, times: int = 1) -> None:
        """Wait until the device has accepted `start` so many times."""
        done = wire.answer_payload(wire.START, 0, wire.DONE)
        await self.until(
            lambda: sum(one[0] == done[0] and one[2] == 0 for one in self.payloads(wire.ANSWER)) >= times
        )

    async def inject(self, *words: bytes) -> None:
        """Write to USART2; waits as long as the chip takes nothing."""
        assert self._sensor is not None
        for word in words:
            self._sensor.write(word)
            await self._sensor.drain()

    async def monitor(self, words: str) -> None:
        """Give QEMU itself an order."""
        reader, writer = await self._connect("monitor")
        await reader.readuntil(b"(qemu) ")
        writer.write(words.encode() + b"\n")
        await reader.readuntil(b"(qemu) ")
        writer.close()

    def payloads(self, kind: int) -> list[bytes]:
        """Return the payloads of all frames of that type that came so far."""
        return [frame.payload for frame in FrameDecoder().feed(bytes(self.raw)) if frame.type == kind]

    @property
    def blocks(self) -> list[SampleBlock]:
        return [event for event in self.events if isinstance(event, SampleBlock)]

    @property
    def count(self) -> int:
        """Sample sets that came so far."""
        return sum(block.values.shape[1] for block in self.blocks)

    def notices(self, code: str) -> list[Notice]:
        return [event for event in self.events if isinstance(event, Notice) and event.code == code]

    async def close(self) -> None:
        """Stop the stream and read what is under way: QEMU never ends while it writes to a full terminal."""
        if self._tasks:
            with contextlib.suppress(LinkLost, TimeoutError):
                await self.link.send(self.driver.stop())
                async with asyncio.timeout(DRAIN_S):
                    await self.until(lambda: any(one[0] == wire.STOP for one in self.payloads(wire.ANSWER)))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if self._sensor is not None:
            self._sensor.close()
        await self.link.aclose()


class Tap:
    """The link under another, whose bytes are kept, and spoilt where the test wants it."""

    def __init__(self, link: Link, raw: bytearray, spoil: Callable[[bytes], bytes]) -> None:
        self._link = link
        self._raw = raw
        self._spoil = spoil
        self.url = link.url
        self.dropped = 0

    async def receive(self) -> Packet:
        """Return the next packet as the host hears it."""
        packet = await self._link.receive()
        self._raw += packet.data
        return Packet(self._spoil(packet.data), packet.at, packet.source)

    async def open(self) -> None:
        await self._link.open()

    async def send(self, data: bytes) -> None:
        await self._link.send(data)

    async def aclose(self) -> None:
        self.dropped = self._link.dropped
        await self._link.aclose()


class AgentBoard(Board):
    """A powered board that the edge agent reads: its instrument loop, its link, its driver.

    Attributes:
        spoil: changes what the host hears; `raw` stays what the device said.
        instrument: the agent's.
    """

    async def open(self, sensor_says: bytes = b"") -> None:
        """Open the sensor's line and let the agent find its device."""
        assert not sensor_says
        _, self._sensor = await self._connect("sensor")
        await self.link.aclose()
        self.spoil: Callable[[bytes], bytes] = lambda data: data
        name = self.driver.name
        settings = DeviceSettings(id="front-end", driver=name, link=self.link.url)
        self.instrument = Instrument(settings, DRIVERS, self._tapped, time.monotonic, lambda _: None)
        self.instrument.listeners.append(self)
        self._tasks = [asyncio.create_task(self.instrument.run())]

    def _tapped(self, url: str) -> Link:
        self._tap = Tap(open_link(url), self.raw, lambda data: self.spoil(data))
        return self._tap

    def offer(self, device: str, event: Event) -> None:
        """Take what the agent gives its listeners."""
        self.events.append(event)

    async def link_garbage(self, data: bytes) -> None:
        """Put bytes on the command line that are none of the agent's."""
        await self._tap.send(data)

    def sent_up_to(self) -> int:
        """Return the index after the last sample set that the device has sent, heard by the host or not."""
        tail = FrameDecoder().feed(bytes(self.raw[-4 * MAX_FRAME :]))  # the whole minute would take long
        heads = [
            kit_messages.SAMPLES_HEAD.unpack_from(one.payload) for one in tail if one.type == wire.SAMPLES
        ]
        return max((first + count for first, _, count, _ in heads), default=0)

    def lost(self, device: str, problem: str) -> None:
        """Notes nothing: a test sees it in the instrument's state."""

    async def close(self) -> None:
        """End as the agent ends: the loop is cancelled, says stop, and closes its link."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if self._sensor is not None:
            self._sensor.close()


@contextlib.asynccontextmanager
async def powered(elf: Path, instrument: str, kind: type[BoardKind] = Board) -> AsyncIterator[BoardKind]:
    """Power a board on; whatever happens, its process is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="chevet-qemu-") as folder:
        words = ["-M", MACHINE, "-kernel", str(elf), "-display", "none", "-serial", "pty"]
        words += ["-serial", f"unix:{folder}/sensor,server=on,wait=off"]
        words += ["-monitor", f"unix:{folder}/monitor,server=on,wait=off"]
        output = asyncio.subprocess.PIPE
        qemu = await asyncio.create_subprocess_exec("qemu-system-arm", *words, stdout=output, stderr=output)
        try:
            assert qemu.stdout is not None
            line = await asyncio.wait_for(qemu.stdout.readline(), PATIENCE_S)
            found = re.search(rb"redirected to (/dev/\S+)", line)
            assert found, line
            board = kind(instrument, found[1].decode(), Path(folder))
            try:
                yield board
            finally:
                await board.close()
        finally:
            await _end(qemu)


async def _end(qemu: asyncio.subprocess.Process) -> None:
    """End that process, kindly first; read its output away, lest it wait for us while we wait for it."""
    with contextlib.suppress(ProcessLookupError):
        qemu.terminate()
        try:
            await asyncio.wait_for(qemu.communicate(), 2)
        except TimeoutError:
            qemu.kill()
            await qemu.communicate()


def sets_words(values: np.ndarray, per_word: int) -> list[bytes]:
    """Return what source_uart2.c reads as the sample sets of `values`, int16 [channels, sets]."""
    flat = np.ascontiguousarray(values.T, dtype="<i2")
    edges = [*range(0, len(flat), per_word), len(flat)]
    return [b"S" + bytes([b - a]) + flat[a:b].tobytes() for a, b in itertools.pairwise(edges)]


def as_python_says_it(raw: bytes, identity: wire.Identity, values: np.ndarray) -> bytes:
    """Return the device's whole output again, as the simulator's encoder writes it.

    Sample values are those that were put in, not those that came; only what the device alone can know (first,
    lost, times, counts) is taken from its frames.
    """
    said = b""
    for seq, frame in enumerate(FrameDecoder().feed(raw)):
        payload = frame.payload
        if frame.type == wire.IDENTITY:
            payload = wire.identity_payload(identity, payload[0])
        elif frame.type == wire.ANSWER:
            payload = wire.answer_payload(*payload)
        elif frame.type == wire.SAMPLES:
            first, lost, count, _ = kit_messages.SAMPLES_HEAD.unpack_from(payload)
            payload = wire.samples_payload(first, lost, values[:, first : first + count])
        elif frame.type == wire.STATUS:
            payload = _status(payload)
        said += wire.frame(frame.type, seq, payload)
    return said


def _status(payload: bytes) -> bytes:
    told = kit_messages.parse_status(payload)
    battery = wire.NO_BATTERY if told.battery_pct is None else told.battery_pct
    off = sum(1 << bit for bit in told.off)
    status = wire.Status(
        uptime_ms=told.uptime_ms,
        index=told.index,
        lost=told.lost,
        dropped_frames=told.dropped_frames,
        bad_commands=told.bad_commands,
        off=off,
        battery_pct=battery,
        streaming=told.streaming,
        charging=told.charging,
    )
    return wire.status_payload(status)
