"""Whether this machine codes exact waveforms to the very bytes that an x86-64 machine does, and reads them.

.venv/bin/python benchmarks/same_bytes.py
On arm64, or there in emulation: qemu-aarch64-static -L ROOT ROOT/usr/bin/python3.11 benchmarks/same_bytes.py
(ROOT: Debian's Python for arm64; on PYTHONPATH edge, devices and the wheels of NumPy and others.)
"""

import hashlib
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from chevet.study.codec import decode_waveform, encode_waveform

RECORDINGS = Path(__file__).parents[1] / "hardware-sim/chevet/sim/recordings"
KNOWN = {
    "12 leads of a person (LUDB 152)": "b711bca1b8af315d",
    "a heart (CirCor 85343, mitral)": "38b02018cda300c2",
    "a heart (CirCor 85343, tricuspid)": "440115bdc92c07ba",
    "a heart (CirCor 85345, aortic)": "8fb2d897980b2767",
    "a pulse wave (BIDMC 03)": "3e5ebb78680ef8ea",
    "one row": "0dfb1492584526db",
    "two rows in two frames": "fa65553882253db2",
    "every eighth value": "147e403008288fd3",
    "24 bits of 32": "3fd1e25f72313fd4",
    "all of 32 bits": "94fe9f7b5c9e212c",
}
"""The first 16 digits of SHA-256 of what an x86-64 machine writes; a better encoder will write others."""
FILES = (
    "ecg-ludb-152",
    "heart-circor-85343-mv",
    "heart-circor-85343-tv",
    "heart-circor-85345-av",
    "pleth-bidmc-03",
)


def wandering(rows: int, count: int, step: int, kind: type[np.integer], seed: int) -> np.ndarray:
    """Samples by integers alone, each near the one before."""
    steps = np.random.default_rng(seed).integers(-step, step + 1, (rows, count))
    limits = np.iinfo(kind)
    return np.clip(np.cumsum(steps, axis=1), limits.min, limits.max).astype(kind)


def samples() -> Iterator[np.ndarray]:
    """Yield what is coded, in the order of KNOWN."""
    for name in FILES:
        with np.load(RECORDINGS / f"{name}.npz") as file:
            yield np.ascontiguousarray(np.atleast_2d(file["values"])[:, :20_000])
    yield wandering(1, 3000, 20, np.int16, 1)
    yield wandering(2, 300_000, 4, np.int16, 2)
    yield wandering(1, 5000, 3, np.int16, 3) * np.int16(8)
    yield wandering(3, 4000, 90_000, np.int32, 5)
    few = np.random.default_rng(6).integers(0, 9, (2, 2048))
    yield (few * 0x0FFFFFFF - 2**31).astype(np.int32)


def main() -> int:
    print(f"{platform.machine()}, NumPy {np.__version__}")
    good = True
    for (name, known), values in zip(KNOWN.items(), samples(), strict=True):
        blob = encode_waveform(values, 500.0)
        found = hashlib.sha256(blob).hexdigest()[:16]
        same = found == known and np.array_equal(decode_waveform(blob), values)
        good = good and same
        print(f"{'same  ' if same else 'OTHER '} {name:<36}{len(blob):>8} B  {found}", flush=True)
    print("reached  the same bytes" if good else "MISSED   the same bytes")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
