"""What the live sound, pleth and picture cost: CPU, and memory over an hour of signal.

    PYTHONPATH=edge python benchmarks/signals_live.py          # an hour of signal, some minutes of CPU
    PYTHONPATH=edge python benchmarks/signals_live.py --minutes 6

Sound at 4 kHz through `HeartSoundStates` in blocks of 0.1 s, judged every second over the last 5 s; pleth at
125 Hz judged every second over the last 8 s, its rate every second over 30 s; a frame of 640x480 judged ten
times a second. Recordings are repeated end to end.
"""

import argparse
import resource
import sys
import time
from collections import deque

import numpy as np
from signals_data import DATA, bidmc, sounds

from chevet.signals import pleth
from chevet.signals.heart_stream import HeartSoundStates
from chevet.signals.quality import picture_quality, pleth_quality, sound_quality


def memory_mb():
    """Peak memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def figures(minutes=6.0):
    """The part of benchmarks/signals.py."""
    sound = next(x for _, x, _ in sounds("circor"))
    finger = next(f["ppg"].astype(float) for _, f in bidmc())
    frame = np.random.default_rng(1).integers(40, 200, (480, 640, 3), dtype=np.uint8)
    live = HeartSoundStates(4000)
    heard, felt = deque(maxlen=5), deque(maxlen=30)
    spent = {"sound states": 0.0, "sound quality": 0.0, "pleth": 0.0, "pictures": 0.0}
    early, seconds = 0.0, int(60 * minutes)
    for second in range(seconds):
        part = np.take(sound, np.arange(second * 4000, (second + 1) * 4000), mode="wrap")
        heard.append(part)
        felt.append(np.take(finger, np.arange(second * 125, (second + 1) * 125), mode="wrap"))
        start = time.process_time()
        for block in np.split(part, 10):
            live.feed(block)
        one = time.process_time()
        if len(heard) > 2:
            sound_quality(np.concatenate(heard), 4000)
        two = time.process_time()
        if len(felt) > 8:
            pleth_quality(np.concatenate(list(felt)[-8:]), 125)
            pleth.pulse_rate(np.concatenate(felt), 125)
        three = time.process_time()
        if second % 10 == 0:  # one second in ten stands for all: each frame costs the same
            for _ in range(10):
                picture_quality(frame)
        four = time.process_time()
        for name, cost in zip(spent, (one - start, two - one, three - two, 10 * (four - three)), strict=True):
            spent[name] += cost
        if second == min(60, seconds // 2):
            early = memory_mb()
    found = {f"{name}, % of one core": 100 * cost / seconds for name, cost in spent.items()}
    return found | {
        "all together, % of one core": sum(found.values()),
        "peak memory MB": memory_mb(),
        f"growth after the first minute MB ({minutes:g} min)": memory_mb() - early,
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="minutes of signal (default: 60)")
    args = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"skipped: {DATA} is not there")
    for label, value in figures(args.minutes).items():
        print(f"{label:50s} {value:.1f}")


if __name__ == "__main__":
    main()
