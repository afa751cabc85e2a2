"""Studies to pack: one full visit, and hypothesis strategies for any."""

import io
from dataclasses import replace
from functools import cache

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageDraw, ImageFilter

from chevet.devices.samples import Channel, Reading
from chevet.study.ids import uuid7
from chevet.study.recording import Gap, Measurement, QualityMark, Recording, StoredPicture, Waveform
from chevet.study.specialties import SPECIALTIES
from chevet.study.study import (
    CONSENT_PURPOSES,
    URGENCIES,
    Consent,
    EdgeClock,
    Patient,
    Study,
    Vital,
)

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
NOW = 1_790_000_000_000
GOOD = QualityMark(0.93, True, ("mains_hum",))


def ident(number: int) -> str:
    return uuid7(NOW + number, np.random.default_rng(number).bytes(10))


@cache
def ecg(seconds: float = 10.0, rate_hz: float = 500.0) -> np.ndarray:
    """Eight leads of drawn beats, and the four that follow from I and II by floor division."""
    rng = np.random.default_rng(7)
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    phase = t % 0.85
    beat = sum(
        height * np.exp(-(((phase - at) / width) ** 2))
        for height, at, width in (
            (80, 0.2, 0.03),
            (-90, 0.355, 0.01),
            (1100, 0.38, 0.011),
            (-200, 0.41, 0.012),
            (260, 0.62, 0.05),
        )
    )
    rows = [
        np.rint(beat * scale + rng.normal(0, 6, t.size))
        for scale in (0.6, 1.0, -0.4, 0.2, 0.6, 1.1, 1.2, 0.9)
    ]
    one, two = (row.astype(np.int32) for row in rows[:2])
    limb = [one, two, two - one, (-one - two) >> 1, (2 * one - two) >> 1, (2 * two - one) >> 1]
    return np.stack([*limb, *rows[2:]]).astype(np.int16)


@cache
def heart_sound(seconds: float = 8.0, rate_hz: float = 4000.0) -> np.ndarray:
    rng = np.random.default_rng(8)
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    loud = np.exp(-((((t % 0.85) - 0.1) / 0.03) ** 2)) + 0.7 * np.exp(-((((t % 0.85) - 0.42) / 0.02) ** 2))
    return np.rint(4000 * loud * np.sin(2 * np.pi * 55 * t) + rng.normal(0, 60, t.size)).astype(np.int16)[
        None
    ]


@cache
def eardrum(seed: int = 1) -> bytes:
    """A JPEG of 640 x 480 with the smooth shapes and grain of an otoscope image."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (640, 480), (60, 30, 25))
    draw = ImageDraw.Draw(image)
    draw.ellipse((120, 40, 520, 440), fill=(205, 170, 150))
    draw.line((320, 60, 350, 260), fill=(150, 110, 95), width=14)
    draw.ellipse((380, 260, 440, 330), fill=(245, 240, 235))
    smooth = np.asarray(image.filter(ImageFilter.GaussianBlur(6)), dtype=np.float64)
    grain = np.clip(smooth + rng.normal(0, 3, smooth.shape), 0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(grain).save(out, "JPEG", quality=90)
    return out.getvalue()


def channels(names: tuple[str, ...], unit: str, rate_hz: float, gain: float) -> tuple[Channel, ...]:
    return tuple(Channel(name, unit, rate_hz, gain) for name in names)


KIT = {"model": "Chevet kit", "serial": "K-0001", "firmware": "1.0.0"}


def ecg_recording() -> Recording:
    return Recording(
        ident(1),
        "ecg",
        "kit-ecg",
        "serial:kit-1",
        NOW,
        10.0,
        GOOD,
        device=KIT,
        lost_samples=25,
        waveforms=(Waveform(channels(LEADS, "mV", 500.0, 0.001), ecg(), (Gap(1000, 25),)),),
        measurements=(
            Measurement("heart_rate", 71.0, "/min", "median beat"),
            Measurement("qtc", 412.5, "ms", "Fridericia"),
            Measurement("pr_interval", None, "ms", "median beat"),
        ),
    )


def sound_recording(site: str) -> Recording:
    waveform = Waveform(channels(("sound",), "1", 4000.0, 1 / 32768), heart_sound())
    return Recording(
        ident(ord(site)), "heart_sound", "kit-stethoscope", "serial:kit-1", NOW + 20_000, 8.0, GOOD,
        site=site, device=KIT, waveforms=(waveform,),
        measurements=(Measurement("heart_rate", 70.6, "/min", "autocorrelation"),),
    )  # fmt: skip


def ear_recording(side: str, stills: int = 2) -> Recording:
    pictures = tuple(StoredPicture(eardrum(n + 1), "image/jpeg", n * 1.5, best=n == 1) for n in range(stills))
    return Recording(
        ident(len(side)),
        "otoscopy",
        "camera",
        "mjpeg:otoscope-1",
        NOW + 50_000,
        6.5,
        GOOD,
        side=side,
        pictures=pictures,
    )


def oximetry_recording() -> Recording:
    pleth = (128 + 90 * np.sin(np.arange(2250) / 8.0)).astype(np.int16)[None]
    readings = tuple(
        Reading(
            kind,
            None if second < 3 else base + second % 2,
            unit,
            5000.25 + second,
            ("artifact",) if second < 3 else (),
        )
        for second in range(30)
        for kind, base, unit in (("spo2", 96.0, "%"), ("pulse_rate", 71.0, "/min"))
    )
    return Recording(
        ident(9), "oximetry", "nonin-df2", "serial:ox-1", NOW + 70_000, 30.0, GOOD, simulated=True,
        waveforms=(Waveform(channels(("pleth",), "1", 75.0, 1.0), pleth),), readings=readings,
    )  # fmt: skip


@cache
def visit() -> Study:
    """A full visit: 12 leads, two heart sounds, both ears, oximetry, five vitals, a question."""
    sure = QualityMark(1.0, True)
    oximetry = oximetry_recording()
    vitals = (
        Vital("spo2", 97.0, "%", "nonin-df2", NOW + 90_000, GOOD, oximetry.id),
        Vital("pulse_rate", 71.0, "/min", "nonin-df2", NOW + 90_000, GOOD, oximetry.id),
        Vital("temperature", 36.9, "Cel", "manual", NOW + 80_000, sure),
        Vital("systolic", 135.0, "mm[Hg]", "manual", NOW + 81_000, sure),
        Vital("diastolic", 85.0, "mm[Hg]", "manual", NOW + 81_000, sure),
    )
    return Study(
        id=ident(100),
        site="tinm01",
        worker=ident(101),
        patient=Patient(ident(102), "Fatima Exemple", 1961, "F", "2026/0123"),
        consent=Consent(("care", "teaching"), NOW - 60_000),
        reason="breathlessness",
        question="Souffle au foyer mitral, essoufflement à l'effort. Faut-il un échocardiogramme ?",
        specialty="cardiology",
        urgency="urgent",
        closed=EdgeClock(NOW + 100_000, ident(103), 12345.678, "synchronised"),
        recordings=(
            ecg_recording(), sound_recording("A"), sound_recording("M"),
            ear_recording("left"), ear_recording("right"), oximetry,
        ),
        vitals=vitals,
        label="HTEST",
        notes={"red_flags": "none"},
    )  # fmt: skip


DRAFTS = (
    ("heart_rate", 66.6, "/min", "60 / mean RR, outer fifths left out"),
    ("rr_irregularity", 0.042, "1", "median change of RR over median RR"),
    *(
        (f"{name}", 126.0, "ms", "median over beats, delineation over all leads")
        for name in ("pr", "qrs", "qt")
    ),
    *(
        (f"qtc_{n.lower()}", 371.0, "ms", f"{n}, median QT and RR")
        for n in ("Bazett", "Fridericia", "Hodges")
    ),
    *((f"{n}_axis", 38.0, "deg", "net areas in I and aVF, median over beats") for n in ("p", "qrs", "t")),
    *((f"st_{lead}", 0.044, "mV", "J + 60 ms against PQ level, median over beats") for lead in LEADS),
)


@cache
def demonstrated() -> Study:
    """A visit as the demo's agent closes it: all drafts of twelve leads, eight stills an ear."""
    rng = np.random.default_rng(4)

    def as_closed(place: int, recording: Recording) -> Recording:
        born = NOW + 9_000 * place + int(rng.integers(0, 999))
        sizes = [int(size) for size in rng.integers(21_500, 23_600, 8)]
        times = [round(n * 0.4 + rng.random() / 5, 3) for n in range(8)]
        stills = tuple(
            StoredPicture(rng.bytes(size), "image/jpeg", at_s, at_s == times[2])
            for size, at_s in zip(sizes, times, strict=True)
        )
        drafts = tuple(
            Measurement(kind, round(value + rng.random(), 3), unit, how) for kind, value, unit, how in DRAFTS
        )
        return replace(
            recording,
            id=uuid7(born, rng.bytes(10)),
            started_ms=born + 3,
            pictures=stills if recording.step == "otoscopy" else (),
            measurements=drafts if recording.step == "ecg" else recording.measurements,
        )

    recordings = tuple(as_closed(place, item) for place, item in enumerate(visit().recordings))
    vitals = tuple(
        replace(item, recording=recordings[-1].id if item.recording else "") for item in visit().vitals
    )
    return replace(visit(), recordings=recordings, vitals=vitals)


# Any study

words = st.text(max_size=12)
numbers = st.floats(allow_nan=False, allow_infinity=False, width=64)
maybe = st.none() | numbers
times = st.integers(0, 1 << 48)
ids = st.integers(0, 1 << 40).map(ident) | st.text(max_size=8)
marks = st.builds(QualityMark, st.floats(0, 1), st.booleans(), st.lists(words, max_size=3).map(tuple))
readings = st.builds(Reading, words, maybe, words, numbers, st.lists(words, max_size=2).map(tuple))


@st.composite
def waveforms(draw: st.DrawFn) -> Waveform:
    rows, count = draw(st.integers(1, 12)), draw(st.integers(0, 60))
    values = draw(hnp.arrays(np.int16, (rows, count)))
    channel = st.builds(Channel, words, words, st.sampled_from([1.0, 62.5, 75.0, 500.0]), numbers, numbers)
    some = tuple(draw(channel) for _ in range(rows))
    first = draw(st.integers(0, count))
    gaps = (Gap(first, draw(st.integers(0, count - first))),) if draw(st.booleans()) else ()
    return Waveform(some, values, gaps)


pictures = st.builds(StoredPicture, st.binary(max_size=40), words, numbers, st.booleans())


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    def some(item: st.SearchStrategy, most: int) -> tuple:
        return tuple(draw(st.lists(item, max_size=most)))

    return Recording(
        id=draw(ids), step=draw(words), driver=draw(words), link=draw(words), started_ms=draw(times),
        duration_s=draw(numbers), quality=draw(marks), site=draw(words), side=draw(words),
        device=draw(st.dictionaries(words, words, max_size=3)), lost_samples=draw(times),
        waveforms=some(waveforms(), 2), pictures=some(pictures, 2), readings=some(readings, 4),
        measurements=some(st.builds(Measurement, words, maybe, words, words), 2),
        accepted_poor=draw(st.booleans()), simulated=draw(st.booleans()),
    )  # fmt: skip


studies = st.builds(
    Study,
    id=ids,
    site=words,
    worker=ids,
    patient=st.builds(
        Patient, ids, words, st.none() | st.integers(1900, 2030), st.sampled_from(["F", "M", ""]), words
    ),
    consent=st.builds(Consent, st.lists(st.sampled_from(CONSENT_PURPOSES)).map(tuple), times, words),
    reason=words,
    question=st.text(max_size=60),
    specialty=st.sampled_from(SPECIALTIES),
    urgency=st.sampled_from(URGENCIES),
    closed=st.builds(EdgeClock, times, ids, numbers, words),
    recordings=st.lists(recordings(), max_size=2, unique_by=lambda item: item.id).map(tuple),
    vitals=st.lists(st.builds(Vital, words, maybe, words, words, times, marks, ids), max_size=3).map(tuple),
    language=words,
    label=st.sampled_from(["", "HTEST"]),
    notes=st.dictionaries(words, words, max_size=2),
)


def as_tuple(study: Study) -> tuple:
    """A study as plain values, arrays as nested lists, so that two can be compared."""

    def plain(value):
        if isinstance(value, np.ndarray):
            return (value.shape, value.dtype.str, value.tobytes())
        if isinstance(value, tuple):
            return tuple(plain(item) for item in value)
        if hasattr(value, "__slots__"):
            return (type(value).__name__, *(plain(getattr(value, name)) for name in value.__slots__))
        return value

    return plain(study)
