"""The box of the live link's benchmark, started behind the link: an ECG in a hand, and bundles beside it."""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from delivery_common import ADDRESS, PROGRAMME, RELAY_KEY, SITE, SITE_KEY, Task, near_tls, read_task
from delivery_near import Chevet, Diary

from chevet.devices.samples import Channel, SampleBlock
from chevet.edge.instruments import READY
from chevet.edge.live_up import LiveUp
from chevet.exchange.connection import BrokerAddress
from chevet.exchange.line import Disconnected, Line, LineEvent, Message
from chevet.exchange.live_sender import OVERHEAD, LiveSender
from chevet.exchange.topics import down

RATE_HZ, BLOCK = 500.0, 50
LEADS = tuple(
    Channel(n, "mV", RATE_HZ, 0.001)
    for n in ("I", "II", "III", "aVR", "aVL", "aVF", *(f"V{k}" for k in range(1, 7)))
)


class Beside:
    """A bedside with one ECG, which the worker holds all the time, in an open visit with consent."""

    def __init__(self) -> None:
        words = SimpleNamespace(training=None, consent=True, override="")
        visit = SimpleNamespace(words=words, patient="p")
        self.instrument = SimpleNamespace(id="ecg", kind="ecg", state=READY, listeners=[], simulated=True)
        self.instruments = {"ecg": self.instrument}
        self.live = SimpleNamespace(watched=lambda: frozenset({"ecg"}), tell=lambda _: None)
        self.captures = SimpleNamespace(running=lambda: None)
        self.visits = SimpleNamespace(current=lambda: visit, get=lambda _: visit)
        self.settings, self.site = SimpleNamespace(label="HTEST"), SimpleNamespace(code=SITE)
        self.uplink, self.clock = SimpleNamespace(watched=False), SimpleNamespace(monotonic=time.monotonic)

    def status(self) -> dict[str, Any]:
        return {}


class Box(Chevet):
    """The box of the delivery benchmark with live mode beside its bundles."""

    def __init__(self, task: Task, diary: Diary, folder: Path) -> None:
        super().__init__(task, diary, folder)
        tls = (lambda: near_tls(task.folder)) if task.tls else None
        address = BrokerAddress(os.environ[ADDRESS], task.port, client_id="edge", tls=tls)
        self.line = Line(address, subscriptions=[(down(SITE, "r"), 1), (down(SITE, "k"), 1)], at_once=True)
        self.sent: list[tuple[float, int, float]] = []
        self.beside, self.began = Beside(), time.monotonic()
        self.sending = LiveSender(
            relay_key=RELAY_KEY.public_key(),
            signer=SITE_KEY,
            recipients=lambda: [PROGRAMME.public_key()],
            random=os.urandom,
        )
        self.up = LiveUp(cast("Any", self.beside), self, self.sender, self.sending)

    def publish(
        self, topic: str, payload: bytes, qos: int = 1, *, retain: bool = False, expiry_s: int = 0
    ) -> int:
        """Send a live message, and note when, how large, and what the link was measured to take."""
        self.sent.append((time.monotonic(), len(payload) + OVERHEAD, self.sender.window.rate))
        return self.line.publish(topic, payload, qos, retain=retain, expiry_s=expiry_s)

    async def run(self) -> None:
        tasks = [asyncio.create_task(self.up.run()), asyncio.create_task(self._measure())]
        await super().run()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.diary.more |= {"sent": self.sent, "began": self.began, "dropped": self.sending.dropped}

    async def _measure(self) -> None:
        """The instrument: a block each 0.1 s, by its own clock, whatever the machine does meanwhile."""
        steps, at = np.random.default_rng(1), np.zeros((len(LEADS), 1), np.int32)
        for number in range(10**6):
            await asyncio.sleep(max(0.0, self.began + (number + 1) * BLOCK / RATE_HZ - time.monotonic()))
            values = at[:, -1:] + np.cumsum(
                steps.integers(-20, 21, (len(LEADS), BLOCK), np.int32), axis=1, dtype=np.int32
            )
            at = values
            block = SampleBlock(LEADS, values, number * BLOCK, self.began + (number + 1) * BLOCK / RATE_HZ)
            for listener in self.beside.instrument.listeners:
                listener.offer("ecg", block)

    def _over(self, _plan: list[tuple[float, list[tuple[int, int]], int]]) -> bool:
        return bool(self.started) and time.monotonic() - self.started >= self.task.keep_s

    def _happened(self, event: LineEvent, now: float) -> None:
        if isinstance(event, Message) and event.topic == down(SITE, "k"):
            self.up.command(event.payload)
            return
        if isinstance(event, Disconnected):
            self.up.cut()
        super()._happened(event, now)


async def near(task: Task) -> None:
    diary = Diary(task)
    with tempfile.TemporaryDirectory() as folder:
        await Box(task, diary, Path(folder)).run()
    diary.write()


if __name__ == "__main__":
    asyncio.run(near(read_task(sys.argv[1])))
