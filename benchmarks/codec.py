"""The codec of exact waveforms beside FLAC and delta + brotli: bits per sample, speed, none larger.

.venv/bin/python benchmarks/codec.py
.venv/bin/python benchmarks/codec.py --data ../shared/data --set MIT --most 4

`encode` and `decode` take samples as [samples, channels], as other benches of codecs want them:
    python bench_compress.py --codec codec:encode,decode --path benchmarks
Delta + brotli is shown where the package brotli is installed.
"""

import argparse
import importlib
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from bytes import SETS, plain_flac

from chevet.study.codec import decode_waveform, encode_waveform

SPEED = 0.5
"""Million samples a second that the encoder is to take on one x86 core."""


def encode(samples: np.ndarray, rate_hz: float) -> bytes:
    """Return samples [samples, channels] as the codec writes them."""
    return encode_waveform(np.ascontiguousarray(samples.T), rate_hz)


def decode(data: bytes) -> np.ndarray:
    """Return samples [samples, channels]."""
    return decode_waveform(data).T


@dataclass
class Sum:
    """What one set took."""

    files: int = 0
    samples: int = 0
    own: int = 0
    flac: int = 0
    brotli: int = 0
    larger: int = 0
    encoding_s: float = 0.0
    decoding_s: float = 0.0


def main() -> int:
    here = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=here, help=f"folder of recordings (default {here})")
    parser.add_argument("--set", default="", help="only sets whose name has this in it")
    parser.add_argument("--most", type=int, default=10**6, help="recordings of each set (default all)")
    options = parser.parse_args()
    if not options.data.is_dir():
        sys.exit(f"{options.data} is not there: name the folder of recordings with --data.")
    encode_waveform(np.arange(64, dtype=np.int16)[None], 500.0)  # what is made once is made before the clock
    columns = "".join(
        f"{name:>9}" for name in ("ours", "goal", "FLAC", "brotli", "better", "encode", "decode")
    )
    print(f"{'bit per sample':<24}{'files':>6}{columns}   larger than FLAC")
    missed = [
        words for name in SETS if options.set in name for words in _show(name, options.data, options.most)
    ]
    for words in missed:
        print(f"MISSED   {words}")
    return 1 if missed else 0


def _show(name: str, data: Path, most: int) -> list[str]:
    """Print one set's row; return the goals it missed, in words."""
    recordings, goal = SETS[name]
    total = Sum()
    for one, _ in zip(recordings(data), range(most), strict=False):
        _add(total, f"{name} {one.name}", one.waveform.values, one.waveform.channels[0].rate_hz)
    if not total.files:
        return []
    own, flac, brotli = (8 * size / total.samples for size in (total.own, total.flac, total.brotli))
    peer = min(flac, brotli or flac)
    speeds = [total.samples / max(spent, 1e-9) / 1e6 for spent in (total.encoding_s, total.decoding_s)]
    print(
        f"{name:<24}{total.files:>6}{own:>9.3f}{goal:>9.2f}{flac:>9.3f}{brotli:>9.3f}"
        f"{100 * (1 - own / peer):>7.1f} %{speeds[0]:>9.2f}{speeds[1]:>9.2f}   {total.larger}",
        flush=True,
    )
    goals = {
        f"{own:.2f} bits a sample, not {goal}": own <= goal,
        f"{total.larger} recordings larger than their FLAC": not total.larger,
        f"{speeds[0]:.2f} Msample/s, not {SPEED}": speeds[0] >= SPEED,
    }
    return [f"{name}: {words}" for words, reached in goals.items() if not reached]


def _add(total: Sum, name: str, values: np.ndarray, rate_hz: float) -> None:
    start = time.process_time()
    blob = encode_waveform(values, rate_hz)
    between = time.process_time()
    back = decode_waveform(blob)
    total.decoding_s += time.process_time() - between
    total.encoding_s += between - start
    if not np.array_equal(back, values):
        sys.exit(f"{name} did not come back exactly")
    flac = plain_flac(values)
    total.files += 1
    total.samples += values.size
    total.own += len(blob)
    total.flac += flac
    total.brotli += _delta_brotli(values)
    total.larger += len(blob) > flac


def _delta_brotli(values: np.ndarray) -> int:
    """Return the bytes of first differences, zigzag, low and high bytes apart, in brotli 11; 0 without it."""
    if _brotli is None:
        return 0
    steps = np.diff(values.astype(np.int32), axis=1, prepend=0)
    zigzag = ((steps << 1) ^ (steps >> 31)).astype("<u2").ravel()
    return len(_brotli.compress(zigzag.view(np.uint8).reshape(-1, 2).T.tobytes(), quality=11))


def _found(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


_brotli = _found("brotli")

if __name__ == "__main__":
    sys.exit(main())
