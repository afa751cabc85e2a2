"""Exchanged electrodes are named while an ECG runs, from a piece that is long enough to tell."""

import numpy as np
import pytest
from numpy.typing import NDArray

from chevet.devices.samples import Channel, SampleBlock
from chevet.edge.live import _judged
from chevet.sim.patient import Patient
from chevet.sim.patient_faults import swapped

RATE_HZ = 500.0
NAMES = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
LEADS = tuple(Channel(name, "mV", RATE_HZ, 0.001, 0.0) for name in NAMES)


@pytest.fixture(scope="module")
def ecg() -> NDArray[np.float64]:
    """Twelve leads of a normal patient, in mV."""
    patient = Patient(3, "normal")
    return np.asarray(patient.ecg(0.0, 10.0, RATE_HZ))


def judged(ecg: NDArray[np.float64], seconds: float) -> tuple[str, ...]:
    count = round(seconds * RATE_HZ)
    values = np.round(ecg[:, :count] / 0.001).astype(np.int32)
    blocks = tuple(
        SampleBlock(LEADS, values[:, at : at + 250], at, at / RATE_HZ) for at in range(0, count, 250)
    )
    return _judged("ecg", blocks, ())[0].reasons


def test_arms_exchanged_are_named_after_eight_seconds_and_not_before(ecg: NDArray[np.float64]) -> None:
    assert judged(ecg, 10.0) == ()
    wrong = swapped(ecg, "LA", "RA")
    assert judged(wrong, 10.0) == ("lead_swap:RA/LA",)
    assert judged(wrong, 5.0) == ()
