"""Signals for the fake agent: a beating heart as ECG leads, pulse wave, sound and a picture of an eardrum."""

import io
import json
import struct
import wave
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

RATES = {"ecg": 500, "oximeter": 75, "stethoscope": 4000}
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
BEAT_S = 0.83

# Height (mV), centre (s after the beat) and width (s) of P, Q, R, S, T in one plain lead.
_WAVES = (
    (0.12, 0.12, 0.022),
    (-0.08, 0.235, 0.009),
    (1.0, 0.26, 0.011),
    (-0.22, 0.287, 0.010),
    (0.28, 0.47, 0.045),
)
# How strongly each lead sees P, R, S and T.
_LEAD = {
    "I": (0.8, 0.6, 0.5, 0.7),
    "II": (1.0, 1.0, 0.8, 1.0),
    "III": (0.3, 0.45, 0.4, 0.4),
    "aVR": (-0.9, -0.8, -0.6, -0.85),
    "aVL": (0.3, 0.2, 0.3, 0.2),
    "aVF": (0.7, 0.75, 0.6, 0.7),
    "V1": (0.5, 0.22, 3.6, -0.3),
    "V2": (0.6, 0.45, 4.6, 1.1),
    "V3": (0.6, 0.8, 3.2, 1.3),
    "V4": (0.6, 1.4, 1.8, 1.3),
    "V5": (0.6, 1.3, 0.9, 1.1),
    "V6": (0.6, 1.0, 0.4, 0.9),
}


def _ecg(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    beat = seconds % BEAT_S
    bells = [height * np.exp(-(((beat - at) / width) ** 2) / 2) for height, at, width in _WAVES]
    rows = []
    for lead in LEADS:
        p, r, s, t = _LEAD[lead]
        rows.append(p * bells[0] + bells[1] + r * bells[2] + s * bells[3] + t * bells[4])
    drift = 0.04 * np.sin(2 * np.pi * 0.25 * seconds)
    return np.array(rows) + drift + 0.008 * np.random.default_rng(7).standard_normal(seconds.shape)


def _pleth(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    beat = (seconds - 0.2) % BEAT_S
    rise = np.exp(-(((beat - 0.18) / 0.075) ** 2) / 2) + 0.45 * np.exp(-(((beat - 0.42) / 0.11) ** 2) / 2)
    return (0.8 * rise * (1 + 0.08 * np.sin(2 * np.pi * 0.25 * seconds)))[None, :]


def _sound(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    beat = seconds % BEAT_S
    first = np.exp(-(((beat - 0.28) / 0.032) ** 2) / 2) * np.sin(2 * np.pi * 48 * seconds)
    second = 0.7 * np.exp(-(((beat - 0.60) / 0.022) ** 2) / 2) * np.sin(2 * np.pi * 66 * seconds)
    hiss = 0.02 * np.random.default_rng(9).standard_normal(seconds.shape)
    return (0.22 * (first + second) + 0.15 * hiss)[None, :]


_MAKE = {"ecg": _ecg, "oximeter": _pleth, "stethoscope": _sound}
_GAIN = {"ecg": 0.001, "oximeter": 0.001, "stethoscope": 1 / 32768}
_UNIT = {"ecg": "mV", "oximeter": "1", "stethoscope": "1"}
_NAMES = {"ecg": LEADS, "oximeter": ("pleth",), "stethoscope": ("sound",)}


def channels(instrument: str) -> list[dict[str, Any]]:
    """Return the channels of an instrument as the API shows them."""
    shape = {"unit": _UNIT[instrument], "rate_hz": RATES[instrument], "gain": _GAIN[instrument], "offset": 0}
    return [{"name": name, **shape} for name in _NAMES[instrument]]


def samples(instrument: str, first: int, count: int) -> NDArray[np.int16]:
    """Return int16 [channels, count] from sample `first` on; the same index always gives the same value."""
    seconds = (first + np.arange(count)) / RATES[instrument]
    return np.round(_MAKE[instrument](seconds) / _GAIN[instrument]).clip(-32767, 32767).astype(np.int16)


def wave_frame(
    device: str, instrument: str, first: int, count: int, layer: str = "live", at_ms: int = 0
) -> bytes:
    """Return a wave frame of docs/api.md, written from its text alone."""
    header = {
        "device": device,
        "recording": "",
        "rate_hz": RATES[instrument],
        "first": first,
        "count": count,
        "unit": _UNIT[instrument],
        "channels": channels(instrument),
        "gaps": [],
        "layer": layer,
        "at_ms": at_ms,
    }
    return _framed(1, header, samples(instrument, first, count).tobytes())


def picture_frame(device: str, image: bytes, at_ms: int) -> bytes:
    """Return a picture frame of docs/api.md."""
    return _framed(2, {"device": device, "media_type": "image/jpeg", "at_ms": at_ms}, image)


def _framed(kind: int, header: dict[str, Any], payload: bytes) -> bytes:
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<BBH", 1, kind, len(text)) + text + payload


def sound_file(seconds: float) -> bytes:
    """Return a WAV file of the heart."""
    kept = io.BytesIO()
    with wave.open(kept, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATES["stethoscope"])
        out.writeframes(samples("stethoscope", 0, int(seconds * RATES["stethoscope"])).tobytes())
    return kept.getvalue()


def eardrum(step: int) -> bytes:
    """Return a JPEG of a drawn eardrum, a little elsewhere and a little blurred at each step."""
    image = Image.new("RGB", (640, 480), "#1a0d08")
    draw = ImageDraw.Draw(image)
    x, y = 320 + 14 * np.sin(step / 9), 240 + 10 * np.cos(step / 7)
    for ring in range(24):
        tone = ring / 24
        draw.ellipse(
            [x - 230 + ring * 4, y - 226 + ring * 4, x + 230 - ring * 4, y + 226 - ring * 4],
            fill=(int(120 + 90 * tone), int(58 + 70 * tone), int(44 + 52 * tone)),
        )
    draw.ellipse([x - 138, y - 142, x + 132, y + 138], fill="#d9c0a6", outline="#b98f74", width=6)
    draw.line([x - 14, y - 120, x + 10, y + 14], fill="#c49a7c", width=14)
    draw.polygon([(x + 12, y + 16), (x + 70, y + 104), (x + 22, y + 116)], fill="#fff3df")
    kept = io.BytesIO()
    image.filter(ImageFilter.GaussianBlur(1.2 + 1.6 * (step % 11 == 0))).save(kept, "JPEG", quality=82)
    return kept.getvalue()
