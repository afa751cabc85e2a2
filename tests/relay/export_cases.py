"""Recordings whose exports are read back: a calibration pulse, gaps, sounds, pictures, a clip."""

import io
import os
import zipfile
from dataclasses import replace

import numpy as np
from PIL import Image

from chevet.devices.samples import Channel
from chevet.relay.exports.forms import archive
from chevet.relay.exports.subject import subject
from chevet.study.bundle import pack
from chevet.study.clip import encode_clip
from chevet.study.ids import uuid7
from chevet.study.recording import Gap, QualityMark, Recording, StoredPicture, Waveform

from .conftest import deliver, messages

NOON = 1_790_000_000_250
TWELVE = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def recording(step, **changes):
    blank = Recording(
        id=uuid7(NOON, os.urandom(10)),
        step=step,
        driver="kit-ecg",
        link="serial",
        started_ms=NOON,
        duration_s=1.0,
        quality=QualityMark(0.9, True),
        device={"model": "kit", "serial": "K-12", "firmware": "1.2", "calibrated_on": "2026-05-04"},
    )
    return replace(blank, **changes)


def pulse(rate_hz=500.0, gain=0.00488, offset=0.0, leads=TWELVE, seconds=3, wide=False):
    """Twelve leads, each with a pulse of 1 mV and 200 ms in every second, on the device's own zero."""
    zero = round(-offset / gain)
    values = np.full((len(leads), round(rate_hz * seconds)), zero, np.int32 if wide else np.int16)
    for second in range(seconds):
        values[:, round((second + 0.2) * rate_hz) : round((second + 0.4) * rate_hz)] += round(1.0 / gain)
    values += np.arange(len(leads), dtype=values.dtype)[:, None]  # no two leads are the same
    return Waveform(tuple(Channel(name, "mV", rate_hz, gain, offset) for name in leads), values)


def height(physical):
    """Millivolts from the resting line to the pulse's top, by the middle of what lies on either side."""
    middle = (physical.max() + physical.min()) / 2
    return np.median(physical[physical > middle]) - np.median(physical[physical < middle])


def with_gaps(waveform, *gaps):
    values = waveform.values.copy()
    for gap in gaps:
        values[:, gap.first : gap.first + gap.count] = 0
    return Waveform(waveform.channels, values, gaps)


PAUSE = (Gap(700, 900),)


def sound(rate_hz=4000.0, seconds=2, gaps=PAUSE):
    values = (9000 * np.sin(np.arange(int(rate_hz * seconds)) / 9)).astype(np.int16)[None]
    return with_gaps(Waveform((Channel("heart sound", "1", rate_hz, 2.0**-15),), values), *gaps)


def pleth(wide=False):
    values = (20_000 + 900 * np.sin(np.arange(750) / 12)).astype(np.int32 if wide else np.int16)[None]
    values = values + 200_000 if wide else values
    return with_gaps(Waveform((Channel("pleth", "1", 75.0, 1.0),), values), Gap(100, 30))


def jpeg(size=(320, 240), seed=2, **options):
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1] // 8, size[0] // 8, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).resize(size).save(out, "JPEG", quality=90, **options)
    return out.getvalue()


def ear(side="left", with_clip=True, data=None):
    stills = tuple(
        StoredPicture(data or jpeg(seed=seed), "image/jpeg", 0.5 + seed, best=seed == 1) for seed in (0, 1)
    )
    clip = encode_clip([(n * 0.08, jpeg(seed=n)) for n in range(6)]) if with_clip else None
    return recording("otoscopy", side=side, driver="camera", pictures=stills, clip=clip)


def visit():
    """One recording of each step, with gaps, in the order a worker takes them."""
    return (
        recording("ecg", waveforms=(with_gaps(pulse(), Gap(400, 37), Gap(901, 300)),)),
        recording("heart_sound", site="M", driver="kit-stethoscope", waveforms=(sound(),)),
        recording("lung_sound", site="Pr", driver="sound-card", waveforms=(sound(8000.0, 1, ()),)),
        recording("oximetry", driver="nonin-df2", waveforms=(pleth(),)),
        ear("left"),
        ear("right", with_clip=False),
    )


def send_exact(world, make_study, label="", **changes):
    """Send a study without the copies for thin links: exports never read them, and they take long to make."""
    study = make_study(**changes)
    bundle = pack(study, lambda _: ())
    deliver(world.receiver(), messages(world.site.seal(bundle, label)))
    return study


def exported(relay, study, form, **options):
    """Name and bytes of every file of an export, without its folder, as the operator would get it."""
    found = subject(relay, study.id, "operator", form, **options)
    with zipfile.ZipFile(io.BytesIO(b"".join(archive(found, form)))) as zipped:
        assert zipped.testzip() is None
        return {name.partition("/")[2]: zipped.read(name) for name in zipped.namelist()}
