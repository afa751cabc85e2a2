"""One instrument read from the terminal, without the agent: its link, its driver, until enough has come."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from chevet.bridge.errors import REMEDIES
from chevet.bridge.link import Link, open_link
from chevet.bridge.tape import RecordingLink
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Channel, Event, Notice, Picture, SampleBlock
from chevet.edge.box_word import agent_runs
from chevet.edge.errors import Refusal, SettingsError
from chevet.edge.instruments import Instrument
from chevet.edge.settings import DeviceSettings, EdgeSettings, all_devices, load_bluetooth

LOOK_S = 0.1
PATIENCE_S = 15.0
"""Longest wait for the first samples: a Bluetooth scan and a start-up banner fit into it."""
GRACE_S = 5.0
"""A device this much late with the samples asked for will not bring them (as in captures)."""

REASONS = {
    "no_signal": "nothing usable came; check sensor, battery and the link's settings (docs/instruments.md)",
    "refused": "the instrument refuses to work; its firmware may be of another version",
    "silent": "the instrument says nothing; switch it off and on",
    "late": "samples came too slowly, so it was ended",
    "stopped": "it was stopped",
    "disk": "the file could not be written; free space or check the folder",
}


@dataclass(eq=False)
class Taken:
    """What came of one instrument.

    Attributes:
        seconds: wanted, by the device's clock where it sends samples.
        put_picture: takes each picture at once, with its number and its seconds; a clip may be long.
        started_ms: Unix ms of the first event that counts; 0 before.
        started_at: its monotonic time.
        events: samples, readings and notices in order.
        pictures: how many were taken.
        samples: how many sample sets came.
        span_s: how much is there.
        problem: coded reason of a bad end, "" for a good one.
        ended: set when enough is there, or nothing more will come.
    """

    seconds: float
    put_picture: Callable[[int, float, Picture], object] = lambda *_: None
    started_ms: int = 0
    started_at: float = 0.0
    events: list[Event] = field(default_factory=list[Event])
    pictures: int = 0
    samples: int = 0
    span_s: float = 0.0
    problem: str = ""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    _firsts: dict[tuple[Channel, ...], int] = field(default_factory=dict[tuple[Channel, ...], int])

    @property
    def begun(self) -> bool:
        """Whether anything that counts has come."""
        return self.started_ms > 0

    def offer(self, device: str, event: Event) -> None:  # noqa: ARG002 - it listens to one device only
        """Take one event."""
        if self.ended.is_set():
            return
        if not self.begun and not isinstance(event, Notice):
            # A block is stamped with its last sample; the recording starts with its first.
            before_s = _length_s(event) if isinstance(event, SampleBlock) else 0.0
            self.started_at = event.at - before_s
            self.started_ms = time.time_ns() // 1_000_000 - round(before_s * 1000)
        match event:
            case Picture():
                self._show(event)
            case SampleBlock():
                self.events.append(event)
                self._advance(event)
            case Notice(code="refused", on=True):
                self.end("refused")
            case _:
                self.events.append(event)
        if self.span_s >= self.seconds:
            self.end("")

    def lost(self, device: str, problem: str) -> None:  # noqa: ARG002
        """End: the link could not be opened, or ended."""
        self.end(problem)

    def look(self, waited_s: float) -> None:
        """Notice how time passes; `waited_s` since the link was first tried."""
        if not self.begun:
            if waited_s > max(PATIENCE_S, self.seconds):
                self.end("no_signal")
            return
        since_s = time.monotonic() - self.started_at
        if not self._firsts:
            self.span_s = since_s
            if since_s >= self.seconds:
                self.end("")
        elif since_s > self.seconds + GRACE_S:
            self.end("late")

    def end(self, problem: str) -> None:
        """End for this reason; the first one counts."""
        if not self.ended.is_set():
            self.problem = problem
            self.ended.set()

    def _show(self, picture: Picture) -> None:
        self.pictures += 1
        try:
            self.put_picture(self.pictures, picture.at - self.started_at, picture)
        except OSError:
            self.end("disk")

    def _advance(self, block: SampleBlock) -> None:
        first = self._firsts.setdefault(block.channels, block.first)
        end = block.first + block.values.shape[1]
        self.samples += block.values.shape[1]
        self.span_s = max(self.span_s, (end - first) / block.channels[0].rate_hz)


def _length_s(block: SampleBlock) -> float:
    return float(block.values.shape[1] / block.channels[0].rate_hz)


def reason(problem: str) -> str:
    """Return why it ended, in words with the remedy."""
    return REASONS.get(problem) or REMEDIES.get(problem) or problem


def chosen_device(settings: EdgeSettings, device_id: str) -> DeviceSettings:
    """Return the configured instrument of this id, free to be opened here.

    Raises:
        SettingsError: there is none.
        Refusal: `agent_runs`, it holds the link.
    """
    devices = {device.id: device for device in all_devices(settings)}
    if device_id not in devices:
        known = ", ".join(sorted(devices)) or "none"
        raise SettingsError(f"No instrument '{device_id}' is configured; there are: {known}.")
    if agent_runs(settings.data_dir) and not devices[device_id].link.startswith("tape:"):
        raise Refusal(
            "agent_runs",
            f"The agent is running and holds '{device_id}'; record from the kiosk, or stop the agent first.",
        )
    return devices[device_id]


@dataclass(eq=False)
class Attended:
    """An instrument with the links it had; a recording has one, since the first loss ends it."""

    settings: EdgeSettings
    device: DeviceSettings
    tape: Path | None = None

    def __post_init__(self) -> None:
        """Compose driver and link; nothing is opened yet."""
        self._bluetooth = load_bluetooth(self.settings)
        self._links: list[Link] = []
        self.instrument = Instrument(self.device, DRIVERS, self._connect, time.monotonic, lambda _: None)

    @property
    def dropped(self) -> int:
        """Packets that were not taken in time."""
        return sum(link.dropped for link in self._links)

    async def take(self, taken: Taken, tell: Callable[[Taken], None]) -> None:
        """Read until `taken` has ended; `tell` hears of the progress ten times a second."""
        self.instrument.listeners.append(taken)
        running = asyncio.create_task(self.instrument.run(), name=f"device {self.device.id}")
        opened = time.monotonic()
        try:
            while not taken.ended.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await taken.ended.wait()
                taken.look(time.monotonic() - opened)
                tell(taken)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    def _connect(self, url: str) -> Link:
        link = open_link(url, bluetooth=self._bluetooth)
        if self.tape is not None:
            link = RecordingLink(link, self.tape, time.monotonic)
        self._links.append(link)
        return link
