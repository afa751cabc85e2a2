"""Made-up but plausible signals and pictures: no hospital data are needed to test a screen."""

import io
import json
import struct
from collections.abc import Sequence
from functools import cache

import numpy as np
import soundfile
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
GAIN_MV = 0.001
# Height of P, Q, R, S, T in mV for the independent leads.
WAVES = {
    "I": (0.10, -0.05, 0.75, -0.10, 0.22),
    "II": (0.15, -0.07, 1.10, -0.15, 0.30),
    "V1": (0.06, 0.0, 0.22, -0.95, -0.08),
    "V2": (0.07, 0.0, 0.45, -1.35, 0.35),
    "V3": (0.08, -0.02, 0.85, -0.90, 0.42),
    "V4": (0.09, -0.05, 1.45, -0.45, 0.40),
    "V5": (0.09, -0.08, 1.30, -0.20, 0.32),
    "V6": (0.09, -0.08, 0.95, -0.08, 0.25),
}
# Time from R in seconds and width of each wave.
SHAPE = ((-0.17, 0.024), (-0.030, 0.009), (0.0, 0.011), (0.030, 0.011), (0.27, 0.045))


def beats(duration_s: float, rate_per_min: float) -> NDArray[np.float64]:
    """R times with a little respiratory swing."""
    step = 60 / rate_per_min
    at = np.arange(0.45, duration_s, step)
    return at + 0.03 * np.sin(2 * np.pi * at / 4.2)


@cache
def ecg(
    rate_hz: int = 500, duration_s: float = 10, rate_per_min: float = 72, seed: int = 1
) -> NDArray[np.int16]:
    """Twelve leads, int16 microvolts, shape [12, n]; III and the augmented leads follow exactly."""
    random = np.random.default_rng(seed)
    t = np.arange(int(rate_hz * duration_s)) / rate_hz
    drift = 0.06 * np.sin(2 * np.pi * t / 4.2)
    rows: dict[str, NDArray[np.float64]] = {}
    for name, heights in WAVES.items():
        row = drift + random.normal(0, 0.008, t.size)
        for r in beats(duration_s, rate_per_min):
            for height, (after, width) in zip(heights, SHAPE, strict=True):
                row = row + height * np.exp(-(((t - r - after) / width) ** 2) / 2)
        rows[name] = np.round(row * 1000)
    one, two = rows["I"], rows["II"]
    rows |= {"III": two - one, "aVR": -(one + two) / 2, "aVL": one - two / 2, "aVF": two - one / 2}
    return np.array([rows[name] for name in LEADS]).astype(np.int16)


def ecg_marks(swaps: list[dict[str, object]], rate_hz: int = 500) -> dict[str, object]:
    """Draft marks about the waves that `ecg` draws."""
    r = beats(10, 72)
    r = r[(r > 0.3) & (r < 9.5)]
    limits = {
        "p_on": -0.21, "p_peak": -0.17, "p_off": -0.13, "qrs_on": -0.05, "qrs_peak": 0.0, "qrs_off": 0.05,
        "t_on": 0.17, "t_peak": 0.27, "t_off": 0.37,
    }  # fmt: skip
    waves = {name: [round((at + after) * rate_hz) for at in r] for name, after in limits.items()}
    return {"kind": "ecg", "rate_hz": rate_hz, "method": "drawn", "waves": waves, "swaps": swaps}


def sound_marks(duration_s: float = 8) -> dict[str, object]:
    """Draft states, envelope and room noise of `heart_sound`."""
    states: list[list[float | str]] = []
    for at in beats(duration_s, 72):
        edges = (0.0, 0.08, 0.33, 0.40, 0.80)
        for begin, end, state in zip(edges, edges[1:], ("s1", "systole", "s2", "diastole"), strict=False):
            if at + begin < duration_s:
                states.append([round(at + begin, 3), round(min(at + end, duration_s), 3), state])
    cycle = [round(0.1 + 0.9 * np.exp(-(((n - 20) / 8) ** 2)), 3) for n in range(100)]
    count = int(duration_s / 0.02)
    level = [
        round(0.1 + 0.8 * float(np.exp(-(((n * 0.02 % 0.83) - 0.2) ** 2) / 0.004)), 3) for n in range(count)
    ]
    return {
        "kind": "sound", "duration_s": duration_s, "guided_by_ecg": False, "states": states,
        "envelope": {"band_hz": [80, 500], "step_s": 0.02, "level": level, "cycle": cycle, "cycles": 9},
        "noise": {"band_hz": [400, 1000], "step_s": 0.25, "level_db": [-52.0 + n % 5 for n in range(32)]},
        "method": "drawn",
    }  # fmt: skip


@cache
def pleth(rate_hz: int = 75, duration_s: float = 20) -> NDArray[np.int16]:
    """One pulse wave, shape [1, n]."""
    t = np.arange(int(rate_hz * duration_s)) / rate_hz
    wave = np.zeros_like(t)
    for r in beats(duration_s, 72):
        wave += np.exp(-(((t - r - 0.30) / 0.09) ** 2) / 2) + 0.35 * np.exp(
            -(((t - r - 0.58) / 0.10) ** 2) / 2
        )
    return np.round(wave * 9000).astype(np.int16)[None, :]


def wave_frame(samples: NDArray[np.int16], rate_hz: int, names: Sequence[str], **header: object) -> bytes:
    """One binary wave frame of docs/api.md."""
    head = {
        "device": "",
        "recording": "",
        "rate_hz": rate_hz,
        "first": 0,
        "count": samples.shape[1],
        "unit": "mV",
        "channels": [{"name": name, "gain": GAIN_MV, "offset": 0} for name in names],
        "gaps": [],
        "layer": "lossless",
        "at_ms": 0,
    } | header
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<BBH", 1, 1, len(text)) + text + samples.astype("<i2").tobytes()


def heart_sound(
    rate_hz: int = 4000, duration_s: float = 8, murmur: float = 0.12, seed: int = 3
) -> NDArray[np.float64]:
    """S1, S2 and a systolic murmur, linear -1..1."""
    random = np.random.default_rng(seed)
    t = np.arange(int(rate_hz * duration_s)) / rate_hz
    sound = random.normal(0, 0.004, t.size)
    noise = np.convolve(random.normal(0, 1, t.size), np.hanning(18), "same")
    noise /= np.abs(noise).max()
    for r in beats(duration_s, 72):
        for after, pitch_hz, level in ((0.03, 55, 0.8), (0.36, 85, 0.6)):
            ring = np.exp(-(((t - r - after) / 0.022) ** 2) / 2)
            sound += level * ring * np.sin(2 * np.pi * pitch_hz * (t - r - after))
        sound += murmur * noise * np.exp(-(((t - r - 0.19) / 0.06) ** 2) / 2)
    return 0.7 * sound / np.abs(sound).max()


@cache
def encoded_sound(layer: str, *, quiet: bool = False) -> tuple[bytes, str]:
    """The sound as the relay serves it: Opus for preview and diagnostic, WAV for lossless."""
    out = io.BytesIO()
    if layer == "lossless":
        soundfile.write(out, heart_sound() * (0.2 if quiet else 1.0), 4000, format="WAV", subtype="PCM_16")
        return out.getvalue(), "audio/wav"
    soundfile.write(out, heart_sound(8000), 8000, format="OGG", subtype="OPUS")
    return out.getvalue(), "audio/ogg"


@cache
def eardrum(side: str, layer: str, *, turn: float = 0, brighter: bool = False) -> tuple[bytes, str]:
    """A drawn eardrum: pearly on the right, red and bulging on the left; turned, as a hand moves the tip."""
    size = 160 if layer == "preview" else 640
    unit = size / 640
    image = Image.new("RGB", (size, round(size * 0.75)), (28, 14, 12))
    draw = ImageDraw.Draw(image)

    def disc(x: float, y: float, r: float, colour: tuple[int, int, int]) -> None:
        draw.ellipse(
            [(x - r) * unit, (y - r * 0.96) * unit, (x + r) * unit, (y + r * 0.96) * unit], fill=colour
        )

    drum = (214, 196, 178) if side == "right" else (196, 84, 66)
    for step in range(24):
        share = step / 23
        shade = tuple(round(a + (b - a) * share) for a, b in zip((94, 44, 34), (196, 132, 108), strict=True))
        disc(320, 240, 238 - 40 * share, (shade[0], shade[1], shade[2]))
    disc(320, 240, 176, drum)
    draw.line(
        [(318 * unit, 110 * unit), (300 * unit, 240 * unit)],
        fill=(236, 224, 204),
        width=max(2, round(13 * unit)),
    )
    mirror = 1 if side == "right" else -1
    tip, foot = (306 * unit, 250 * unit), (320 * unit, 360 * unit)
    draw.polygon([tip, ((320 + mirror * 70) * unit, 350 * unit), foot], fill=(250, 244, 232))
    image = image.filter(ImageFilter.GaussianBlur(3 * unit)).rotate(turn)
    if brighter:
        image = image.point(lambda value: min(255, round(value * 1.25)))
    out = io.BytesIO()
    if layer == "preview":
        image.save(out, "AVIF", quality=50)
        return out.getvalue(), "image/avif"
    image.save(out, "JPEG", quality=90)
    return out.getvalue(), "image/jpeg"


def skin(layer: str) -> tuple[bytes, str]:
    """A drawn patch of skin with a ring-shaped lesion."""
    size = 160 if layer == "preview" else 800
    image = Image.new("RGB", (size, size * 3 // 4), (201, 152, 122))
    draw = ImageDraw.Draw(image)
    for share, colour in ((0.26, (176, 92, 78)), (0.19, (197, 138, 112)), (0.05, (150, 66, 58))):
        r = share * size
        x, y = size * 0.52, size * 0.37
        draw.ellipse([x - r * 1.2, y - r, x + r * 1.2, y + r], fill=colour)
    image = image.filter(ImageFilter.GaussianBlur(size / 120))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue(), "image/jpeg"
