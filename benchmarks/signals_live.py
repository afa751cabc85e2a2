"""What all live paths together cost: CPU, and memory over an hour of signal.

    python benchmarks/signals_live.py                 # an hour of signal as fast as it goes
    python benchmarks/signals_live.py --minutes 6
    python benchmarks/signals_live.py --real          # a minute in real time; says the machine's load

A 12-lead ECG at 500 Hz in blocks of 0.1 s through `LiveEcgFilter` (with a notch) and, lead II,
through `QrsDetector`, judged every second over the last 5 s; sound at 4 kHz through `HeartSoundStates`,
judged every second over the last 5 s; pleth at 125 Hz judged every second over the last 8 s, its rate
every second over 30 s; ten frames a second of 640x480 judged. Recordings are repeated end to end.

As fast as it goes, one second in ten of frames stands for all, since each costs the same; --real judges all.
"""

import argparse
import os
import resource
import sys
import time
from collections import deque
from multiprocessing import get_context
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "edge")]

import numpy as np  # noqa: E402
from signals_data import DATA, bidmc, ludb, sounds  # noqa: E402

from chevet.signals import ecg, pleth  # noqa: E402
from chevet.signals.filters import LiveEcgFilter  # noqa: E402
from chevet.signals.heart_stream import HeartSoundStates  # noqa: E402
from chevet.signals.quality import ecg_quality, picture_quality, pleth_quality, sound_quality  # noqa: E402

ECG_HZ, SOUND_HZ, PLETH_HZ = 500, 4000, 125


def memory_mb():
    """What this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def peak_mb():
    """The most this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class EcgPath:
    """Twelve leads: filtered, beats, quality."""

    def __init__(self):
        self._leads = next(leads for _, leads, _, _ in ludb())
        self._filter = LiveEcgFilter(ECG_HZ, 12, mains_hz=50.0)
        self._beats = ecg.QrsDetector(ECG_HZ)
        self._held = deque(maxlen=5)

    def second(self, now):
        """Take one second."""
        part = _second(self._leads, ECG_HZ, now)
        for block in np.split(part, 10, axis=1):
            self._filter.feed(block)
            self._beats.feed(block[1])
        self._held.append(part)
        if len(self._held) > 2:
            ecg_quality(np.concatenate(self._held, axis=1), ECG_HZ)


class SoundPath:
    """States of the heart cycle, quality."""

    def __init__(self):
        self._sound = next(x for _, x, _ in sounds("circor"))
        self._states = HeartSoundStates(SOUND_HZ)
        self._held = deque(maxlen=5)

    def second(self, now):
        """Take one second."""
        part = _second(self._sound, SOUND_HZ, now)
        for block in np.split(part, 10):
            self._states.feed(block)
        self._held.append(part)
        if len(self._held) > 2:
            sound_quality(np.concatenate(self._held), SOUND_HZ)


class PlethPath:
    """Rate and quality."""

    def __init__(self):
        self._pleth = next(file["ppg"].astype(float) for _, file in bidmc())
        self._held = deque(maxlen=30)

    def second(self, now):
        """Take one second."""
        self._held.append(_second(self._pleth, PLETH_HZ, now))
        if len(self._held) > 8:
            pleth_quality(np.concatenate(list(self._held)[-8:]), PLETH_HZ)
            pleth.pulse_rate(np.concatenate(self._held), PLETH_HZ)


class PicturePath:
    """Quality of ten frames."""

    def __init__(self):
        self._frame = np.random.default_rng(1).integers(40, 200, (480, 640, 3), dtype=np.uint8)

    def second(self, _):
        """Take one second."""
        for _ in range(10):
            picture_quality(self._frame)


def _second(x, rate, now):
    return np.take(x, np.arange(now * rate, (now + 1) * rate), axis=-1, mode="wrap")


def paths():
    return {"12-lead ECG": EcgPath(), "sound": SoundPath(), "pleth": PlethPath(), "frames": PicturePath()}


def figures(minutes=6.0):
    """The part of benchmarks/signals.py: as fast as it goes."""
    each, seconds = paths(), int(60 * minutes)
    spent, held = dict.fromkeys(each, 0.0), {}
    for now in range(seconds):
        for name, path in each.items():
            sampled = name == "frames"
            if sampled and now % 10:
                continue
            start = time.process_time()
            path.second(now)
            spent[name] += (time.process_time() - start) * (10 if sampled else 1)
        if now + 1 in (min(60, seconds // 2), seconds) or (now + 1) % 600 == 0:
            held[now + 1] = memory_mb()
            print(f"   minute {(now + 1) / 60:.0f}: {held[now + 1]:.0f} MB", file=sys.stderr, flush=True)
    rows = {f"{name}, % of one core": 100 * cost / seconds for name, cost in spent.items()}
    rows["all together, % of one core"] = sum(rows.values())
    course = ", ".join(f"{second / 60:g} min {mb:.1f}" for second, mb in held.items())
    return rows | {
        "peak memory MB": peak_mb(),
        "memory MB at": course,
        "growth MB from the first minute to the last": held[seconds] - next(iter(held.values())),
    }


def figures_apart(minutes):
    """The same in a process of its own: what other parts hold is no memory of the live paths."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(figures, (minutes,))


def real_minute(seconds=60):
    """CPU over a minute in which each second's samples are handed in when they would have come.

    A core shared with others is slower (caches, the other thread of the core), so the load is told, too.
    """
    each = paths()
    for path in each.values():
        path.second(0)  # what is made once is made before the clock
    begun, cpu, late = time.monotonic(), time.process_time(), 0.0
    for now in range(1, seconds + 1):
        for path in each.values():
            path.second(now)
        left = begun + now - time.monotonic()
        late = max(late, -left)
        time.sleep(max(left, 0.0))
    used = time.process_time() - cpu
    load = ", ".join(f"{v:.1f}" for v in os.getloadavg())
    return {
        "CPU time over the signal's, % of one core": 100 * used / seconds,
        "most behind the clock, s (0: never)": late,
        "peak memory MB": peak_mb(),
        "load of the machine (1, 5, 15 min; cores)": f"{load}; {os.cpu_count()}",
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="minutes of signal (default: 60)")
    parser.add_argument("--real", action="store_true", help="one minute in real time instead")
    args = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"skipped: {DATA} is not there")
    for label, value in (real_minute() if args.real else figures(args.minutes)).items():
        print(f"{label:46s} {value if isinstance(value, str) else f'{value:.1f}'}")


if __name__ == "__main__":
    main()
