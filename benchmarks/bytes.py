"""What real recordings weigh, layer by layer, beside the goals: previews, copies to hear and see, exact.

.venv/bin/python benchmarks/bytes.py
.venv/bin/python benchmarks/bytes.py --data ../shared/data --most 12 --part previews
"""

import argparse
import io
import lzma
import sys
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
from PIL import Image
from scipy.signal import butter, resample_poly, sosfiltfilt

from chevet.devices.samples import Channel
from chevet.study.codec import decode_waveform, encode_waveform
from chevet.study.picture import diagnostic_picture, preview_picture, ssim
from chevet.study.preview import read_preview, write_preview
from chevet.study.recording import Waveform
from chevet.study.sound import PREVIEW_BYTES, diagnostic_sound, preview_sound

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
MICROVOLT = 0.001


@dataclass(frozen=True, slots=True)
class Real:
    """One real recording."""

    name: str
    waveform: Waveform


def main() -> int:
    here = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=here, help=f"folder of recordings (default {here})")
    parser.add_argument("--most", type=int, default=10**6, help="recordings of each kind (default all)")
    parser.add_argument("--part", choices=sorted(PARTS), action="append", help="only this table")
    options = parser.parse_args()
    if not options.data.is_dir():
        sys.exit(f"{options.data} is not there: name the folder of recordings with --data.")
    for name in options.part or PARTS:
        PARTS[name](options.data, options.most)
    for words in MISSED:
        print(f"MISSED   {words}")
    return 1 if MISSED else 0


MISSED: list[str] = []
"""Goals that a table did not reach, in words."""


def asked(reached: bool, words: str) -> None:
    """Note a goal that was not reached."""
    if not reached:
        MISSED.append(words)


# Recordings


def mitdb(data: Path) -> Iterator[Real]:
    for path in sorted((data / "ecg" / "mitdb").glob("*.dat.xz")):
        three = np.frombuffer(lzma.decompress(path.read_bytes()), np.uint8).reshape(-1, 3).astype(np.int16)
        both = np.stack([three[:, 0] | (three[:, 1] & 15) << 8, three[:, 2] | (three[:, 1] & 240) << 4])
        both[both > 2047] -= 4096
        yield Real(path.name[:3], _ecg(both[:, :650_000], 360.0, 0.005, ("MLII", "V1"), -5.12))


def ludb(data: Path) -> Iterator[Real]:
    """Counts as stored, one microvolt each: the gains in the headers stretch each lead by itself."""
    for path in sorted((data / "ecg" / "ludb").glob("*.dat"), key=lambda one: int(one.stem)):
        yield Real(path.stem, _ecg(np.fromfile(path, "<i2").reshape(-1, 12).T, 500.0, MICROVOLT, LEADS))


def ptb(data: Path) -> Iterator[Real]:
    for path in sorted((data / "ecg" / "ptb").glob("*.dat")):
        yield Real(path.stem, _ecg(np.fromfile(path, "<i2").reshape(-1, 12).T, 1000.0, 0.0005, LEADS))


def sounds(*folder: str) -> Callable[[Path], Iterator[Real]]:
    def read(data: Path) -> Iterator[Real]:
        for path in sorted(data.joinpath(*folder).glob("*.wav")):
            with wave.open(str(path)) as file:
                rate_hz = float(file.getframerate())
                values = np.frombuffer(file.readframes(file.getnframes()), "<i2")[None]
            if rate_hz in (2000.0, 4000.0):
                yield Real(path.stem, Waveform((Channel("sound", "1", rate_hz, 1 / 32768),), values))

    return read


def pleth(data: Path) -> Iterator[Real]:
    for path in sorted((data / "ppg" / "bidmc").glob("*.npz")):
        with np.load(path) as file:
            if int(file["scale_ppg"]) == 1023:
                values = file["ppg"].astype(np.int16)[None]
                yield Real(path.stem, Waveform((Channel("pleth", "1", 125.0, 1.0),), values))


def _ecg(
    values: np.ndarray, rate_hz: float, gain: float, names: tuple[str, ...], offset: float = 0.0
) -> Waveform:
    channels = tuple(Channel(name, "mV", rate_hz, gain, offset) for name in names)
    return Waveform(channels, np.ascontiguousarray(values, np.int16))


SETS: dict[str, tuple[Callable[[Path], Iterator[Real]], float]] = {
    "MIT-BIH 2 leads 360 Hz": (mitdb, 3.80),
    "LUDB 12 leads 500 Hz": (ludb, 2.85),
    "PTB 12 leads 1 kHz": (ptb, 6.0),
    "CirCor 4 kHz": (sounds("pcg", "circor"), 10.2),
    "CinC 2016 2 kHz": (sounds("pcg", "cinc2016"), 8.3),
    "lung 4 kHz": (sounds("lung", "icbhi"), 5.7),
    "pleth 125 Hz": (pleth, 2.60),
}
"""Name, recordings, and the goal of the exact layer in bits per sample (delivery, codec)."""


# Tables


def exact(data: Path, most: int) -> None:
    print(f"\n{'exact':<24}{'files':>6}{'bit/sample':>12}{'goal':>7}{'plain FLAC':>12}{'Msample/s':>11}")
    for name, (recordings, goal) in SETS.items():
        size = plain = samples = files = 0
        spent = 0.0
        for one, _ in zip(recordings(data), range(most), strict=False):
            values = one.waveform.values
            start = time.process_time()
            blob = encode_waveform(values, one.waveform.channels[0].rate_hz)
            spent += time.process_time() - start
            if not np.array_equal(decode_waveform(blob), values):
                sys.exit(f"{name} {one.name} did not come back exactly")
            size, samples, files = size + len(blob), samples + values.size, files + 1
            plain += plain_flac(values)
        if files:
            print(
                f"{name:<24}{files:>6}{8 * size / samples:>12.3f}{goal:>7.2f}{8 * plain / samples:>12.3f}"
                f"{samples / max(spent, 1e-9) / 1e6:>11.1f}"
            )
            asked(8 * size / samples <= goal, f"{name}: {8 * size / samples:.2f} bits a sample, not {goal}")


def plain_flac(values: np.ndarray) -> int:
    size = 0
    for first in range(0, len(values), 6):
        out = io.BytesIO()
        sf.write(
            out, values[first : first + 6].T, 1000, format="FLAC", subtype="PCM_16", compression_level=1.0
        )
        size += len(out.getvalue())
    return size


def previews(data: Path, most: int) -> None:
    print(
        f"\n{'ECG previews, 10 s':<24}{'files':>6}{'bytes':>16}{'mean error':>12}{'worst':>8}"
        f"   goal: {PREVIEW_BYTES} bytes, under 8 %"
    )
    for name in list(SETS)[:3]:
        errors, sizes = [], []
        for one, _ in zip(SETS[name][0](data), range(most), strict=False):
            for part in _ten_seconds(one.waveform):
                preview = write_preview(part)
                errors.append(100 * _error(part, read_preview(preview)))
                sizes.append(len(preview))
        if errors:
            span = f"{min(sizes)} to {max(sizes)}"
            print(
                f"{name:<24}{len(errors):>6}{span:>16}{np.mean(errors):>10.2f} %{max(errors):>6.2f} %"
                f"   over 8 %: {sum(error > 8 for error in errors)}"
            )
            asked(max(errors) < 8, f"{name}: an error of {max(errors):.1f} %")
            asked(max(sizes) <= PREVIEW_BYTES, f"{name}: a preview of {max(sizes)} bytes")


def _ten_seconds(waveform: Waveform) -> Iterator[Waveform]:
    """Yield ten seconds at the beginning and, of long recordings, ten in the middle."""
    count, long = waveform.values.shape[1], round(10 * waveform.channels[0].rate_hz)
    for first in (0, count // 2) if count > 2 * long else (0,):
        yield Waveform(waveform.channels, waveform.values[:, first : first + long])


def _error(source: Waveform, seen: Waveform) -> float:
    """PRDN against the original as recorded, its whole band, all leads together."""
    given, shown = _physical(source), _physical(seen)
    times = round(source.channels[0].rate_hz / seen.channels[0].rate_hz)
    shown = resample_poly(shown, times, 1, axis=1, padtype="line")[:, : given.shape[1]]
    spread = given - given.mean(1, keepdims=True)
    return float(np.sqrt(((given - shown) ** 2).sum() / (spread**2).sum()))


def _physical(waveform: Waveform) -> np.ndarray:
    gain = np.array([[channel.gain] for channel in waveform.channels])
    return waveform.values * gain + np.array([[channel.offset] for channel in waveform.channels])


def listening(data: Path, most: int) -> None:
    print(
        f"\n{'sound':<24}{'files':>6}{'preview B':>11}{'kbit/s':>8}{'SNR 20-800 Hz':>15}{'level':>9}"
        "   goal: level within 1 dB"
    )
    for name in list(SETS)[3:6]:
        rows = [_heard(one.waveform) for one, _ in zip(SETS[name][0](data), range(most), strict=False)]
        if rows:
            preview, rate, snr, level = np.array(rows).T
            print(
                f"{name:<24}{len(rows):>6}{preview.max():>11.0f}{rate.mean():>8.1f}{snr.mean():>12.1f} dB"
                f"{level.min():>7.2f} to {level.max():.2f} dB"
            )
            asked(bool(np.abs(level).max() <= 1), f"{name}: a level that is not within 1 dB")
            asked(preview.max() <= PREVIEW_BYTES, f"{name}: a preview of {preview.max():.0f} bytes")


def _heard(waveform: Waveform) -> tuple[float, float, float, float]:
    rate_hz = int(waveform.channels[0].rate_hz)
    data = diagnostic_sound(waveform)
    heard, rate = sf.read(io.BytesIO(data))
    given = resample_poly(waveform.values[0] / 32768, rate, rate_hz)
    count = min(len(heard), len(given))
    band = butter(4, [20, min(800, 0.45 * rate_hz)], "band", fs=rate, output="sos")
    one, two = (sosfiltfilt(band, sound[:count]) for sound in (given, heard))
    scale = float(one @ two) / float(one @ one)
    seconds = waveform.values.shape[1] / rate_hz
    snr = 10 * np.log10((one**2).sum() / ((one - two / scale) ** 2).sum())
    level = 10 * np.log10((two**2).sum() / (one**2).sum())
    return len(preview_sound(waveform)), 8 * len(data) / seconds / 1000, float(snr), float(level)


def stills(data: Path, most: int) -> None:
    original = preview = copy = files = without = 0
    worst = 1.0
    for path, _ in zip(sorted((data / "otoscopy").rglob("*.jp*g")), range(most), strict=False):
        data_of = path.read_bytes()
        good, small = diagnostic_picture(data_of), preview_picture(data_of)
        original, files = original + len(data_of), files + 1
        preview = max(preview, len(small or b""))
        copy += len(good or data_of)
        without += good is None
        if good is not None:
            worst = min(worst, ssim(_luma(data_of), _luma(good)))
    if files:
        print(
            f"\nstills: {files} otoscope pictures, mean {original / files:.0f} B; preview <= {preview} B;"
            f" diagnostic {copy / original:.2f} of it at SSIM {worst:.4f} or better (goal 0.98),"
            f" {without} left to the original"
        )
        asked(worst >= 0.98, f"stills: SSIM {worst:.4f}")
        asked(preview <= PREVIEW_BYTES, f"stills: a preview of {preview} bytes")


def _luma(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"), dtype=np.float64)


PARTS: dict[str, Callable[[Path, int], None]] = {
    "previews": previews,
    "listening": listening,
    "stills": stills,
    "exact": exact,
}


if __name__ == "__main__":
    sys.exit(main())
