"""The studies that the relay and Orthanc are compared with."""

import io
import os
import time
from typing import Any

import numpy as np

from chevet.devices.samples import Channel
from chevet.exchange.sealing import Sealed
from chevet.sim.patient import Patient as SimulatedPatient
from chevet.study.bundle import pack
from chevet.study.ids import uuid7
from chevet.study.recording import QualityMark, Recording, StoredPicture, Waveform
from chevet.study.study import HTEST, Consent, EdgeClock, Patient, Study

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
MICROVOLT = 0.001
PEOPLE = 8


def _recordings(seed: int) -> tuple[Recording, ...]:
    patient, picture = SimulatedPatient(seed), io.BytesIO()
    picture.write(patient.otoscope("left").jpeg(5))
    ecg = np.round(patient.ecg(5.0, 10.0) / MICROVOLT).astype(np.int16)
    sound = np.round(patient.heart_sound(5.0, 10.0) * 32_000).clip(-32_768, 32_767).astype(np.int16)[None]
    leads = tuple(Channel(name, "mV", 500.0, MICROVOLT) for name in LEADS)
    still = StoredPicture(picture.getvalue(), "image/jpeg", 0.4, best=True)
    return (
        _recording("ecg", "kit-ecg", waveforms=(Waveform(leads, ecg),)),
        _recording(
            "heart_sound",
            "kit-stethoscope",
            site="M",
            waveforms=(Waveform((Channel("heart sound", "1", 4000.0, 2.0**-15),), sound),),
        ),
        _recording("otoscopy", "camera", side="left", pictures=(still,)),
    )


def _recording(step: str, driver: str, **changes: Any) -> Recording:
    return Recording(
        id=uuid7(time.time_ns() // 1_000_000, os.urandom(10)),
        step=step,
        driver=driver,
        link="serial",
        started_ms=time.time_ns() // 1_000_000,
        duration_s=10.0,
        quality=QualityMark(0.9, True),
        **changes,
    )


def studies(sites: dict[str, Any], many: int) -> list[tuple[str, Sealed]]:
    """Return so many studies and the sites they come from, sealed; the sites take turns."""
    codes, found = list(sites), []
    for number in range(many):
        now, code = time.time_ns() // 1_000_000, codes[number % len(codes)]
        study = Study(
            id=uuid7(now, os.urandom(10)), site=code, worker="amina",
            patient=Patient(uuid7(now, os.urandom(10)), f"Patient {number}", 1970, "F", ""),
            consent=Consent(("care",), now, ""), reason="chest_pain", question="?", specialty="cardiology",
            urgency="urgent", closed=EdgeClock(now, "boot", 1.0), label=HTEST,
            recordings=_recordings(number % PEOPLE),
        )  # fmt: skip
        found.append((code, sites[code].seal(pack(study), label=HTEST)))
    return found
