"""Records of PhysioNet's WFDB format, read as integers: header and formats 16, 24, 32, 80 and 212.

Layout: the WFDB Applications Guide, header(5) and signal(5). Written for the simulator alone, which knows
none of the kit's own readers.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chevet.sim.errors import SimError

Whole = NDArray[np.int32]
FORMATS = ("16", "24", "32", "80", "212")
DEFAULT_GAIN = 200.0
"""Steps a physical unit where the header names none (header(5))."""
DEFAULT_RATE_HZ = 250.0
GAIN = r"(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)?(?:\((-?\d+)\))?(?:/(\S+))?"
"""Steps a unit, the step of physical zero in brackets, the unit."""


class RecordingError(SimError):
    """A recording cannot be played.

    Attributes:
        place: its file.
    """

    def __init__(self, place: str, sentence: str) -> None:
        super().__init__(f"{place}: {sentence}")
        self.place = place


@dataclass(frozen=True, slots=True)
class Signal:
    """One line of a header.

    Attributes:
        file, format: where and how its samples stand.
        skip: bytes before the first sample.
        gain: steps a physical unit; zero: the step that is physical zero.
        unit, name: as written.
    """

    file: str
    format: str
    skip: int
    gain: float
    zero: int
    unit: str
    name: str


def read_header(text: str, place: str) -> tuple[float, int, tuple[Signal, ...]]:
    """Return sample rate, number of samples (0 unknown) and signals of a header.

    Raises:
        RecordingError: it is no header, or of a kind that is not read.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    words = lines[0].split() if lines else []
    if len(words) < 2 or not words[1].isdecimal():
        raise RecordingError(place, "is no WFDB header: its first line names record and number of signals")
    if "/" in words[0]:
        raise RecordingError(place, "has several segments: play one of them")
    count = int(words[1])
    if count < 1 or len(lines) < 1 + count:
        raise RecordingError(place, f"announces {count} signals and describes {len(lines) - 1}")
    rate = re.match(r"\d+(\.\d+)?", words[2]) if len(words) > 2 else None
    length = int(words[3]) if len(words) > 3 and words[3].isdecimal() else 0
    signals = tuple(_signal(line, place) for line in lines[1 : 1 + count])
    return float(rate[0]) if rate else DEFAULT_RATE_HZ, length, signals


def _signal(line: str, place: str) -> Signal:
    words = line.split(maxsplit=8)
    how = re.fullmatch(r"(\d+)(?:x(\d+))?(?::(\d+))?(?:\+(\d+))?", words[1]) if len(words) > 1 else None
    if how is None or how[1] not in FORMATS:
        raise RecordingError(place, f"formats {', '.join(FORMATS)} are read, not {' '.join(words[1:2])}")
    if int(how[2] or 1) != 1 or int(how[3] or 0) != 0:
        raise RecordingError(place, "several samples a frame and skewed signals are not read")
    looks = re.fullmatch(GAIN, words[2]) if len(words) > 2 else None
    gain = float(looks[1]) if looks and looks[1] else 0.0
    middle = words[4] if len(words) > 4 and re.fullmatch(r"-?\d+", words[4]) else "0"
    return Signal(
        file=words[0],
        format=how[1],
        skip=int(how[4] or 0),
        gain=gain or DEFAULT_GAIN,
        zero=int(looks[2] if looks and looks[2] else middle),
        unit=(looks[3] if looks and looks[3] else "mV"),
        name=words[8] if len(words) > 8 else "",
    )


def read_record(path: Path) -> tuple[Whole, float, tuple[Signal, ...]]:
    """Return samples [signals, n] as written, sample rate and signals of the record with this header.

    Raises:
        RecordingError: header or samples cannot be read.
    """
    try:
        rate_hz, length, signals = read_header(path.read_text("latin-1"), path.name)
        rows = _rows(path.parent, signals)
    except OSError as error:
        raise RecordingError(path.name, f"cannot be read: {error.strerror or error}") from error
    count = min(len(row) for row in rows)
    if length and count < length:
        raise RecordingError(path.name, f"announces {length} samples and holds {count}")
    count = length or count
    if count < 2:
        raise RecordingError(path.name, "holds no samples")
    return np.stack([row[:count] for row in rows]), rate_hz, signals


def _rows(folder: Path, signals: tuple[Signal, ...]) -> list[Whole]:
    """Return the samples of each signal; those of one file stand sample by sample in turn."""
    rows: list[Whole] = []
    for file in dict.fromkeys(signal.file for signal in signals):
        inside = [signal for signal in signals if signal.file == file]
        if "/" in file or len({(one.format, one.skip) for one in inside}) > 1:
            raise RecordingError(file, "is not in the header's folder, or holds signals of several formats")
        data = (folder / file).read_bytes()[inside[0].skip :]
        whole = unpacked(data, inside[0].format)
        count = len(whole) // len(inside)
        rows += list(whole[: count * len(inside)].reshape(count, len(inside)).T)
    return rows


def unpacked(data: bytes, kind: str) -> Whole:
    """Return the samples in `data` of a format; bytes that make no whole sample are left out."""
    raw = np.frombuffer(data, np.uint8)
    match kind:
        case "16":
            return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int32)
        case "32":
            return np.frombuffer(data[: len(data) // 4 * 4], "<i4").astype(np.int32)
        case "80":
            return np.asarray(raw.astype(np.int32) - 128)
        case "24":
            three = raw[: len(raw) // 3 * 3].reshape(-1, 3).astype(np.int32)
            return _signed(three[:, 0] | three[:, 1] << 8 | three[:, 2] << 16, 24)
    three = raw[: len(raw) // 3 * 3].reshape(-1, 3).astype(np.int32)
    one = three[:, 0] | (three[:, 1] & 0x0F) << 8
    other = three[:, 2] | (three[:, 1] & 0xF0) << 4
    pairs = np.stack([one, other], axis=1).ravel()
    rest = raw[len(raw) // 3 * 3 :].astype(np.int32)
    if len(rest) == 2:  # an odd number of samples ends with half a pair
        pairs = np.append(pairs, rest[0] | (rest[1] & 0x0F) << 8)
    return _signed(pairs, 12)


def _signed(values: NDArray[np.int32], bits: int) -> Whole:
    top = 1 << bits - 1
    return np.asarray((values & (1 << bits) - 1 ^ top) - top, np.int32)
