"""Real recordings that are shipped with the simulator, and the larger developer set where it is there."""

from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "hardware-sim" / "chevet" / "sim" / "recordings"
DEVELOPER = ROOT.parent / "shared" / "data"
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
needs_developer_data = pytest.mark.skipif(
    not DEVELOPER.is_dir(), reason="the developer's signal data (../shared/data) are not on this machine"
)


def shipped(name):
    with np.load(SHIPPED / f"{name}.npz", allow_pickle=False) as file:
        return file["values"].astype(float), float(file["rate_hz"])


def twelve_leads():
    """Ten seconds of LUDB 152 in mV, sinus rhythm."""
    values, rate = shipped("ecg-ludb-152")
    return values / 1000.0, rate


def heart_sound(name="heart-circor-85343-mv"):
    values, rate = shipped(name)
    return values[0] / 32768.0, rate


def pleth():
    values, rate = shipped("pleth-bidmc-03")
    return values[0], rate
