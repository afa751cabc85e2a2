"""The study that lies packed in tests/study/examples, once for each version of the bundle.

After a change of the format, store one more and keep the old ones for ever:
    PYTHONPATH=tests/study .venv/bin/python tests/study/study_stored.py preview-3
"""

import sys
from pathlib import Path

import cbor2
import numpy as np
from study_examples import LEADS, NOW, channels, ident

from chevet.devices.samples import Channel, Reading
from chevet.study.bundle import Bundle, Part, pack
from chevet.study.recording import (
    Gap,
    Measurement,
    QualityMark,
    Recording,
    StoredClip,
    StoredFile,
    StoredPicture,
    Waveform,
)
from chevet.study.study import Consent, EdgeClock, Patient, Study, Vital

FOLDER = Path(__file__).parent / "examples"
MARK = QualityMark(0.821, True, ("mains_hum", "lead_off:V3"))


def _leads() -> np.ndarray:
    """Twelve leads by integer arithmetic alone: equal on every machine and for every NumPy."""
    t = np.arange(600)
    eight = [((t * (7 + lead)) % 97 - 48) * (lead + 1) + 900 * (t % 300 == 150) for lead in range(8)]
    one, two = eight[:2]
    limb = [one, two, two - one, (-one - two) >> 1, (2 * one - two) >> 1, (2 * two - one) >> 1]
    return np.stack([*limb, *eight[2:]]).astype(np.int16)


def _recording(number: int, step: str, **more) -> Recording:
    device = {"model": "Modèle", "serial": "S-1", "firmware": "1.2.3"}
    return Recording(
        ident(number), step, "kit-ecg", "serial:kit", NOW + number, 1.2, MARK, device=device, **more
    )


def stored_visit(*, clip: bool = True) -> Study:
    """A small visit with everything a bundle can hold; those of before there were clips have none."""
    t = np.arange(2000)
    readings = tuple(
        Reading("spo2", 96.5 - n if n else None, "%", n + 0.125, ("artifact",) if not n else ())
        for n in range(4)
    )
    drafts = (
        Measurement("heart_rate", 71.3, "/min", "median"),
        Measurement("pr", None, "ms", "median"),
        Measurement("st_V1", -0.05, "mV", "J + 60 ms"),
    )
    sound = ((t * t) % 257 * 60 - 7000).astype(np.int16)[None]
    wide = (t[:500] * 20_011 - 5_000_000).astype(np.int32)[None]
    widest = (t[:100] * 40_000_003 - 2_000_000_000).astype(np.int32)[None]
    jpeg = (FOLDER / "still.jpg").read_bytes()
    film = StoredClip((FOLDER / "clip.avif").read_bytes(), "image/avif", 0.695, 0.24) if clip else None
    twelve = Waveform(channels(LEADS, "mV", 500.0, 0.001), _leads(), (Gap(70, 9), Gap(200, 1)))
    heart = Waveform(channels(("sound",), "1", 4000.0, 1 / 32768), sound)
    lung = Waveform(channels(("sound",), "1", 4000.0, 2.0**-23), wide)
    one = Waveform((Channel("II", "mV", 250.0, 1e-7, -3.5),), widest)
    recordings = (
        _recording(1, "ecg", waveforms=(twelve,), measurements=drafts, lost_samples=10),
        _recording(2, "heart_sound", site="M", waveforms=(heart,)),
        _recording(3, "lung_sound", site="RUL", waveforms=(lung,), accepted_poor=True),
        _recording(4, "ecg", waveforms=(one,),
                   source=StoredFile(b"file of a cart", "application/dicom")),
        _recording(5, "otoscopy", side="left", pictures=(StoredPicture(jpeg, "image/jpeg", 0.695, best=True),
                   StoredPicture(jpeg[:300], "image/jpeg", 1.25)), clip=film),
        _recording(6, "oximetry", simulated=True, readings=readings),
    )  # fmt: skip
    return Study(
        id=ident(100),
        site="tinm01",
        worker="amina",
        patient=Patient(ident(90), "ⵜⴰⵏⵉⵔⵜ", 1974, "F", "T-1"),
        consent=Consent(("care", "teaching"), NOW - 60_000, "voisine"),
        reason="palpitations",
        question="Souffle ? À référer ?",
        specialty="cardiology",
        urgency="urgent",
        closed=EdgeClock(NOW + 100_000, ident(103), 15254.529849532, "free-running"),
        recordings=recordings,
        vitals=(
            Vital("spo2", 93.5, "%", "nonin-df2", NOW + 6, MARK, ident(6)),
            Vital("temperature", None, "Cel", "manual", NOW + 7, QualityMark(1.0, True)),
        ),
        label="HTEST",
        notes={"red_flags": "chest_pain", "skipped:otoscopy::right": "refused"},
    )


def read_stored(name: str) -> Bundle:
    """A bundle: `[id, kind, case, [[oid, layer, kind, media type, recording, data, index]...]]`."""
    ident_, kind, case, rows = cbor2.loads((FOLDER / f"{name}.cbor").read_bytes())
    return Bundle(ident_, kind, case, tuple(Part(*row) for row in rows))


def _store(name: str) -> None:
    bundle = pack(stored_visit())
    rows = [[p.oid, p.layer, p.kind, p.media_type, p.recording, p.data, p.index] for p in bundle.parts]
    with (FOLDER / f"{name}.cbor").open("xb") as file:
        file.write(cbor2.dumps([bundle.id, bundle.kind, bundle.case, rows]))


if __name__ == "__main__":
    _store(sys.argv[1])
