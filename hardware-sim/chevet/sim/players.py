"""Real recordings as devices: WFDB, WAV and NPZ files in place of the patient.

Samples stay the integers they are where the device can say so (the kit's own front ends take over gain and
rate of the file); other twins convert to their own steps and rate, along straight lines. After the last
sample comes a flat second, so that nobody takes the seam for a heart, and then the beginning again.
"""

import wave
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chevet.sim.electrodes import LEADS
from chevet.sim.playback import Int16
from chevet.sim.wfdb_file import RecordingError, Whole, read_record

SEAM_S = 1.0
"""Flat, at physical zero: the honest mark where a recording begins again."""
KEYS = ("values", "rate_hz", "names", "gain", "spo2", "pulse")
"""Of NPZ: integers [channels, n], Hz, names, physical units a step (one or one each), numbers at 1 Hz."""
OTHER_NAMES = {
    "mlii": "II",
    "mli": "I",
    "ecg": "II",
    "avr": "aVR",
    "avl": "aVL",
    "avf": "aVF",
    "pcg": "sound",
    "audio": "sound",
    "pleth": "pleth",
    "ppg": "pleth",
    "pulse": "pleth",
    "ir": "infrared",
}
UNIT_MV = {"mV": 1.0, "uV": 0.001, "µV": 0.001, "V": 1000.0}


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """A recording that goes round with a flat second at its seam.

    Attributes:
        place: its file's name.
        values: integers, physical zero is 0, shape [channels, samples].
        rate_hz: sample rate.
        names: one per channel: leads, "sound", "pleth", "red", "infrared" or as the file has it.
        steps: physical units a step, one per channel; mV for leads.
        numbers: what a monitor showed, at 1 Hz, by "spo2" and "pulse".
    """

    place: str
    values: Whole
    rate_hz: float
    names: tuple[str, ...]
    steps: tuple[float, ...]
    numbers: dict[str, Int16]

    @property
    def length(self) -> int:
        """Samples in one round, with its seam."""
        return int(self.values.shape[1]) + round(SEAM_S * self.rate_hz)

    def between(self, row: int, first: int, count: int, rate_hz: float) -> NDArray[np.float64]:
        """Return samples `first` on at another rate, along straight lines; exact at the file's own rate."""
        at = np.arange(first, first + count) * (self.rate_hz / rate_hz) % self.length
        whole = np.append(self.values[row], 0).astype(np.float64)
        if rate_hz == self.rate_hz:
            return np.asarray(whole[np.minimum(at.astype(np.int64), len(whole) - 1)])
        return np.asarray(np.interp(at, np.arange(len(whole)), whole), np.float64)

    def number(self, kind: str, at_s: float) -> int:
        """Return the monitor's number `at_s` seconds into the endless signal; at the seam the last one."""
        second = int(at_s % (self.length / self.rate_hz))
        return int(self.numbers[kind][min(second, len(self.numbers[kind]) - 1)])

    def row(self, *names: str) -> int:
        """Return the row of the first channel that has one of `names`, or of the only one there is.

        Raises:
            RecordingError: there is none.
        """
        for name in names:
            if name in self.names:
                return self.names.index(name)
        if len(self.names) == 1:
            return 0
        raise RecordingError(
            self.place,
            f"has no {' or '.join(names)} among {', '.join(self.names)}; map one: FILE?{names[0]}=NAME",
        )

    def only(self, row: int) -> "Played":
        """Return this recording with one channel."""
        return Played(
            self.place,
            self.values[row : row + 1],
            self.rate_hz,
            (self.names[row],),
            (self.steps[row],),
            self.numbers,
        )

    def steps_of(self, names: tuple[str, ...]) -> NDArray[np.float64]:
        """Return the step of each of `names`, shape [names, 1]; its first channel's for names it lacks."""
        known = dict(zip(self.names, self.steps, strict=True))
        return np.array([[known.get(name, self.steps[0])] for name in names])

    def leads(self) -> tuple[str, ...]:
        """Return the names of its channels that are leads, in standard order."""
        return tuple(lead for lead in LEADS if lead in self.names)


def read(spec: str) -> Played:
    """Return the recording that `spec` names: FILE or FILE?II=MLII,V1=V5, which maps channels.

    Raises:
        RecordingError: it cannot be read, or has no such channel.
    """
    name, _, mapping = spec.partition("?")
    path = Path(name)
    kind = path.suffix.lower()
    readers = {".hea": _wfdb, ".wav": _wav, ".npz": _npz}
    if kind not in readers:
        path, kind = (
            (path.with_suffix(".hea"), ".hea") if path.with_suffix(".hea").is_file() else (path, kind)
        )
    if kind not in readers:
        raise RecordingError(path.name, "is no .hea (WFDB), .wav or .npz file")
    if not path.is_file():
        raise RecordingError(path.name, f"there is no such file in {path.parent}")
    return _mapped(readers[kind](path), mapping)


def _mapped(played: Played, mapping: str) -> Played:
    """Return `played` with channels called as `mapping` says, "" leaves them."""
    names = list(played.names)
    for pair in mapping.split(",") if mapping else []:
        ours, equals, theirs = pair.partition("=")
        if not equals or theirs not in played.names:
            raise RecordingError(
                played.place, f"has no channel {theirs!r}; there are {', '.join(played.names)}"
            )
        names = [ours if name == theirs else f"{name}'" if name == ours else name for name in names]
    return Played(played.place, played.values, played.rate_hz, tuple(names), played.steps, played.numbers)


def _known(name: str) -> str:
    """Return the name that the twins use for a channel."""
    plain = name.strip().removesuffix(",")
    return next(
        (lead for lead in LEADS if lead.lower() == plain.lower()), OTHER_NAMES.get(plain.lower(), plain)
    )


def _wfdb(path: Path) -> Played:
    values, rate_hz, signals = read_record(path)
    zeros = np.array([signal.zero for signal in signals], np.int32)[:, None]
    names = tuple(_known(signal.name) or f"signal {row}" for row, signal in enumerate(signals))
    steps = tuple(UNIT_MV.get(signal.unit, 1.0) / signal.gain for signal in signals)
    return Played(path.name, values - zeros, rate_hz, names, steps, {})


def _wav(path: Path) -> Played:
    """Read whole-number WAV of 8, 16, 24 or 32 bits; one step is a share of full scale."""
    try:
        with wave.open(str(path)) as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise RecordingError(path.name, f"is no WAV of whole numbers: {error}") from error
    raw = np.frombuffer(data[: len(data) // width * width], np.uint8).reshape(-1, width).astype(np.int64)
    whole = sum(raw[:, byte] << 8 * byte for byte in range(width))
    top = 1 << 8 * width - 1
    signed = np.asarray(whole - top if width == 1 else (whole ^ top) - top, np.int32)
    values = signed[: len(signed) // channels * channels].reshape(-1, channels).T
    if values.shape[1] < 2:
        raise RecordingError(path.name, "holds no samples")
    names = ("sound",) if channels == 1 else tuple(f"sound {row + 1}" for row in range(channels))
    return Played(path.name, values, float(rate), names, (1 / top,) * channels, {})


def _npz(path: Path) -> Played:
    try:
        with np.load(path) as file:
            parts = {key: file[key] for key in KEYS if key in file.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise RecordingError(path.name, f"is no NPZ: {error}") from error
    missing = {"values", "rate_hz", "names"} - parts.keys()
    if missing:
        raise RecordingError(path.name, f"lacks {', '.join(sorted(missing))}; keys are {', '.join(KEYS)}")
    values = np.atleast_2d(parts["values"])
    names = tuple(_known(str(name)) for name in np.atleast_1d(parts["names"]))
    if values.dtype.kind not in "iu" or len(names) != len(values) or values.shape[1] < 2:
        raise RecordingError(
            path.name, "values are whole numbers [channels, n], with a name for each channel"
        )
    usual = [0.001 if name in LEADS else 1 / 32768 for name in names]
    steps = np.broadcast_to(np.asarray(parts.get("gain", usual), float), len(names))
    numbers: dict[str, Int16] = {
        key: np.atleast_1d(parts[key]).astype(np.int16) for key in ("spo2", "pulse") if key in parts
    }
    rate_hz = float(parts["rate_hz"])
    return Played(path.name, values.astype(np.int32), rate_hz, names, tuple(map(float, steps)), numbers)
