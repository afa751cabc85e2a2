"""What the screens see while it happens: bounded queues that drop the oldest, never the recording."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np

from chevet.devices.samples import Channel, Event, Notice, Picture, Reading, SampleBlock, Samples
from chevet.edge.instruments import Instrument
from chevet.edge.judge import live_quality, live_rate, numbers_mark, picture_mark, swaps_named
from chevet.edge.meters import METERS, Meters
from chevet.edge.shapes import quality_shape, reading_shape
from chevet.edge.windows import LENGTH_S, RATE_LENGTH_S, Window, laid
from chevet.edge.wire import picture_frame, samples_frame
from chevet.study.recording import QualityMark, StoredSamples, exact_samples

log = logging.getLogger(__name__)

WAVES_AT_MOST = 64
"""About a second of blocks: a screen further behind should show now, not then."""
WORDS_AT_MOST = 256
PAUSE_S = 0.03
"""Blocks that arrive within this time leave as one message; it is a fifth of the 150 ms to the screen."""
JUDGE_EVERY_S = 1.0
SWAP_LENGTH_S = 8.0
"""Exchanged electrodes are told from several beats; a shorter piece of ECG would guess."""

STEP_OF = {
    "ecg": "ecg",
    "stethoscope": "heart_sound",
    "oximeter": "oximetry",
    "otoscope": "otoscopy",
    "blood_pressure": "",
    "thermometer": "",
    "glucose": "",
    "scale": "",
    "heart_rate": "",
    "battery": "",
}
"""The step whose measure a device is judged by while it is watched; "" for vitals, which are numbers only."""

_Wave = tuple[str, SampleBlock, bool]
"""Device, block, and whether it is of the device's main stream."""


class Screen(Protocol):
    """The sending half of a WebSocket."""

    async def send_json(self, data: Any) -> None:
        """Send one text message."""
        ...

    async def send_bytes(self, data: bytes) -> None:
        """Send one binary message."""
        ...


class LiveClient:
    """One screen: what it watches and what waits to be sent to it.

    Attributes:
        watched: ids of the devices whose waves it wants.
        dropped: messages and blocks dropped because it read too slowly.
    """

    def __init__(self) -> None:
        self.watched: frozenset[str] = frozenset()
        self.dropped = 0
        self._words: deque[dict[str, Any]] = deque()
        self._waves: deque[_Wave] = deque()
        self._pictures: dict[str, Picture] = {}
        self._arrived = asyncio.Event()

    def tell(self, message: dict[str, Any]) -> None:
        """Queue one text message, dropping the oldest when the screen is far behind."""
        if len(self._words) >= WORDS_AT_MOST:
            self._words.popleft()
            self.dropped += 1
        self._words.append(message)
        self._arrived.set()

    def show(self, device: str, event: SampleBlock | Picture, *, main: bool = True) -> None:
        """Queue samples, dropping the oldest; of images only the newest counts."""
        if isinstance(event, Picture):
            self._pictures[device] = event
        else:
            if len(self._waves) >= WAVES_AT_MOST:
                self._waves.popleft()
                self.dropped += 1
            self._waves.append((device, event, main))
        self._arrived.set()

    async def pump(self, screen: Screen, at_ms: Callable[[str, SampleBlock | Picture], int]) -> None:
        """Send what is queued until cancelled or until the screen is gone."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            words, self._words = self._words, deque()
            waves, self._waves = self._waves, deque()
            pictures, self._pictures = self._pictures, {}
            for message in words:
                await screen.send_json(message)
            for device, block, main in joined(waves):
                await screen.send_bytes(_block_frame(device, block, at_ms(device, block), main=main))
            for device, picture in pictures.items():
                await screen.send_bytes(picture_frame(device, picture, at_ms(device, picture)))
            await asyncio.sleep(PAUSE_S)


def joined(waves: Iterable[_Wave]) -> list[_Wave]:
    """Join blocks of one stream that follow each other without a gap; a gap stays a jump in `first`."""
    out: list[list[_Wave]] = []
    open_run: dict[tuple[str, tuple[Channel, ...]], list[_Wave]] = {}
    for wave in waves:
        device, block, main = wave
        run = open_run.get((device, block.channels))
        if run and _end(run[-1][1]) == block.first and run[-1][2] == main:
            run.append(wave)
        else:
            run = open_run[device, block.channels] = [wave]
            out.append(run)
    return [(run[0][0], _one([block for _, block, _ in run]), run[0][2]) for run in out]


def _one(blocks: list[SampleBlock]) -> SampleBlock:
    if len(blocks) == 1:
        return blocks[0]
    values = np.concatenate([block.values for block in blocks], axis=1)
    return SampleBlock(blocks[0].channels, values, blocks[0].first, blocks[-1].at)


def _end(block: SampleBlock) -> int:
    return block.first + len(block.values[0])


def _block_frame(device: str, block: SampleBlock, at_ms: int, *, main: bool) -> bytes:
    values = _shown(block.values)
    return samples_frame(block.channels, values, block.first, at_ms=at_ms, device=device, main=main)


def _shown(values: Samples) -> StoredSamples:
    """Return samples of at most 32 bits as they are; wider ones saturate, on the screen only."""
    if values.itemsize > 4:
        edges = np.iinfo(np.int32)
        values = np.clip(values, edges.min, edges.max)
    return exact_samples(values)


class Live:
    """All screens of the box, and the live judgement of the devices they watch.

    Attributes:
        marks: the last verdict on each device that a screen watches now.
        meters: what was measured a moment ago.
    """

    def __init__(self, now_ms: Callable[[], int], monotonic: Callable[[], float]) -> None:
        self.meters = Meters(now_ms, monotonic)
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._clients: set[LiveClient] = set()
        self._windows: dict[str, Window] = {}
        self._instruments: Mapping[str, Instrument] = {}
        self.marks: dict[str, QualityMark] = {}

    @property
    def screens(self) -> int:
        """How many screens are there, each with a worker signed in."""
        return len(self._clients)

    def watched(self) -> frozenset[str]:
        """Return the devices that any screen watches now."""
        return frozenset[str]().union(*(client.watched for client in self._clients))

    def follow(self, instruments: Mapping[str, Instrument]) -> None:
        """Listen to these devices from now on."""
        self._instruments = instruments
        for instrument in instruments.values():
            self.follow_too(instrument)

    def follow_too(self, instrument: Instrument) -> None:
        """Listen to one more of these devices: it was found and accepted meanwhile."""
        self._windows[instrument.id] = Window(STEP_OF.get(instrument.kind, ""))
        if self not in instrument.listeners:
            instrument.listeners.append(self)

    def unfollow(self, device: str) -> None:
        """Listen no longer to a device that the box has forgotten."""
        self._windows.pop(device, None)
        self.marks.pop(device, None)

    def join(self) -> LiveClient:
        """Add a screen."""
        client = LiveClient()
        self._clients.add(client)
        return client

    def leave(self, client: LiveClient) -> None:
        """Forget a screen."""
        self._clients.discard(client)

    def tell(self, message: dict[str, Any]) -> None:
        """Tell every screen."""
        for client in self._clients:
            client.tell(message)

    def offer(self, device: str, event: Event) -> None:
        """Take one event of a device."""
        window = self._windows[device]
        match event:
            case SampleBlock():
                self._show(device, event, main=window.offer(event))
            case Picture():
                window.picture = event
                self._show(device, event, main=True)
            case Reading():
                window.readings.append(event)
                self.meters.offer(device, event)
                self._tell_reading(device, event)
            case Notice():
                words: dict[str, Any] = {"code": event.code, "on": event.on, "detail": event.detail}
                self._tell_watchers(device, {"type": "notice", "device": device} | words)

    def lost(self, device: str, problem: str) -> None:  # noqa: ARG002 - the Device message tells the problem
        """Forget what was seen of a device that went away."""
        self._windows[device].clear()
        self.marks.pop(device, None)

    def at_ms(self, device: str, event: SampleBlock | Picture) -> int:
        """Return the wall time of an event's last sample, by the device's clock where it is known."""
        clock = self._instruments[device].clock if device in self._instruments else None
        at = None
        if clock and isinstance(event, SampleBlock) and clock.nominal_hz == event.channels[0].rate_hz:
            at = clock.host_time(_end(event))
        return self._now_ms() - round((self._monotonic() - (at or event.at)) * 1000)

    async def run(self) -> None:
        """Judge every watched device once a second until cancelled."""
        while True:
            await asyncio.sleep(JUDGE_EVERY_S)
            watched = self.watched()
            for unseen in self.marks.keys() - watched:
                del self.marks[unseen]
            for device in watched & self._windows.keys():
                try:
                    await self._judge(device)
                except Exception:
                    # Live coaching may fail; the instruments and the recording must not fail with it.
                    log.exception("device %s: live quality failed", device)

    def newest_picture(self, device: str) -> bytes | None:
        """Return what a camera sees now, encoded as it came; None where it shows nothing or is no camera."""
        window = self._windows.get(device)
        return window.picture.data if window is not None and window.picture is not None else None

    async def judged(self, device: str) -> tuple[QualityMark, float | None]:
        """Return the verdict on a device now, watched or not, and its heart rate where it has one."""
        window = self._windows[device]
        if window.picture is not None:
            return await asyncio.to_thread(picture_mark, window.picture), None
        numbers = window.numbers(self._monotonic() - LENGTH_S)
        return await asyncio.to_thread(_judged, window.step, window.blocks(), numbers)

    async def _judge(self, device: str) -> None:
        mark, rate = await self.judged(device)
        self.marks[device] = mark
        message = {"type": "quality", "device": device, "quality": quality_shape(mark), "heart_rate": rate}
        self._tell_watchers(device, message)

    def _show(self, device: str, event: SampleBlock | Picture, *, main: bool) -> None:
        for client in self._clients:
            if device in client.watched:
                client.show(device, event, main=main)

    def _tell_reading(self, device: str, reading: Reading) -> None:
        """Tell who watches; numbers of a meter go to every screen, since nobody may be looking just then."""
        message = {"type": "reading", "device": device, "readings": [reading_shape(reading)]}
        if self._instruments[device].kind in METERS:
            self.tell(message)
        else:
            self._tell_watchers(device, message)

    def _tell_watchers(self, device: str, message: dict[str, Any]) -> None:
        for client in self._clients:
            if device in client.watched:
                client.tell(message)


def _judged(
    step: str, blocks: tuple[SampleBlock, ...], numbers: tuple[Reading, ...]
) -> tuple[QualityMark, float | None]:
    near, far = laid(blocks, LENGTH_S), laid(blocks, RATE_LENGTH_S)
    if not step or near is None or far is None:
        return numbers_mark(numbers), None
    mark = live_quality(step, *near, numbers)
    if step == "ecg" and mark.usable and far[0].shape[1] >= SWAP_LENGTH_S * far[1][0].rate_hz:
        mark = swaps_named(mark, *far)
    return mark, live_rate(step, *far)
