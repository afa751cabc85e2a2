"""How fast each driver reads what its device says: frames a second, and how many times real time.

Times are CPU seconds of this process, the best of several runs, so that other work on the machine hardly
counts. The bytes are those of the virtual twins, in the pieces that a serial port (every 20 ms) or Bluetooth
(one notification) hands on; starting up is left out.
"""

import copy
import gc
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import device_bench
import numpy as np

from chevet.bridge.alsa_link import PCM, SETUP
from chevet.bridge.packet import Packet
from chevet.devices.sound_card import FORMATS
from chevet.sim.otoscope_video import OtoscopeVideo

GOAL = 500
SHORTEST = 20
"""Shorter notifications are no samples."""
PIECES_S = 0.02
WARM_S = 6.0
"""Every twin streams by then."""


@dataclass(frozen=True, slots=True)
class Speed:
    """One driver: seconds of device time, frames in them, CPU seconds of the best run."""

    name: str
    device_s: float
    frames: int
    bytes: int
    cpu_s: float

    @property
    def times(self) -> float:
        """How many times faster than the device."""
        return self.device_s / self.cpu_s

    def row(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        return {**asdict(self), "frames_per_s": self.frames / self.cpu_s, "times_real_time": self.times}


def measure(name: str, seconds: float, runs: int) -> Speed:
    """Let a driver read `seconds` of its twin."""
    if name in STREAMS:
        driver, packets = STREAMS[name](name, seconds)
        return _best(name, seconds, driver, packets, runs)
    heard = device_bench.recorded(name, WARM_S + seconds, PIECES_S)
    cut = next((place for place, one in enumerate(heard) if one.at > device_bench.BEGAN + WARM_S), 0)
    driver = device_bench.driver_of(name)
    driver.start()
    device_bench.replayed(driver, heard[:cut])
    return _best(name, seconds, driver, [Packet(one.data, one.at, one.source) for one in heard[cut:]], runs)


def _best(name: str, seconds: float, driver: Any, packets: list[Packet], runs: int) -> Speed:
    ticks = {round(packet.at / device_bench.TICK_S): place for place, packet in enumerate(packets)}
    ticked = set(ticks.values())
    best, frames = float("inf"), 0
    for _ in range(runs):
        one = copy.deepcopy(driver)
        before = one.counters.frames
        best = min(best, _timed(one, packets, ticked))
        frames = one.counters.frames - before
    return Speed(name, seconds, frames, sum(len(one.data) for one in packets), best)


def _timed(driver: Any, packets: list[Packet], ticked: set[int]) -> float:
    gc.collect()
    gc.disable()
    began = time.process_time()
    for place, packet in enumerate(packets):
        driver.feed(packet)
        if place in ticked:
            driver.tick(packet.at)
    took = time.process_time() - began
    gc.enable()
    return took


def _card(name: str, seconds: float) -> tuple[Any, list[Packet]]:
    """Return a sound card's driver, told its setting, and white noise in stereo as `arecord` gives it."""
    rate, sample_format = name.split()[1:]
    width = FORMATS[sample_format][0]
    driver = device_bench.driver_of(name)
    driver.start()
    words = f"model=bench;serial=1;rate={rate};format={sample_format};channels=2;channel=1"
    driver.feed(Packet(words.encode(), 0.0, SETUP))
    noise = np.random.default_rng(1).bytes(round(float(rate) * PIECES_S) * 2 * width)
    count = round(seconds / PIECES_S)
    return driver, [Packet(noise, 1.0 + place * PIECES_S, PCM) for place in range(count)]


def _camera(name: str, seconds: float) -> tuple[Any, list[Packet]]:
    """Return a camera's driver, and its pictures 30 times a second."""
    video = OtoscopeVideo("normal", "right", 1)
    images = [video.jpeg(frame) for frame in range(8)]
    driver = device_bench.driver_of(name)
    return driver, [Packet(images[n % 8], 1.0 + n / 30) for n in range(round(30 * seconds))]


STREAMS: dict[str, Callable[[str, float], tuple[Any, list[Packet]]]] = {
    **{f"sound-card {rate} S16_LE": _card for rate in (44100, 48000)},
    **{f"sound-card {rate} {form}": _card for rate in (48000, 96000) for form in ("S24_3LE", "S32_LE")},
    "camera": _camera,
}
"""What comes as samples or pictures already, without frames of a device's own."""


def notifications(name: str, kind: int, runs: int = 9) -> tuple[float, list[bytes]]:
    """Return notifications of one kind (their first byte) that a driver reads a second, and some of them."""
    heard = [one for one in device_bench.recorded(name, 30.0) if one.data[:1] == bytes((kind,))]
    driver = device_bench.driver_of(name)
    driver.start()
    packets = [Packet(one.data, one.at, one.source) for one in heard if len(one.data) > SHORTEST]
    best = min(_timed(copy.deepcopy(driver), packets, set()) for _ in range(runs))
    return len(packets) / best, [packet.data for packet in packets]


def names() -> list[str]:
    return sorted({*device_bench.SERIAL, *device_bench.BLUETOOTH, *device_bench.OTHERS, *STREAMS})
