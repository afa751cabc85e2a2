"""A virtual ECG cart: it writes a file into a folder as carts do, slowly or under another name first.

`chevet-sim cart --dir FOLDER --format scp|dicom|ecg90a` (see `drop`).
"""

import datetime
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from chevet.sim.bodies import EcgBody
from chevet.sim.twins.cart_command import ENDINGS
from chevet.sim.twins.cart_files import (
    CONTEC_LEADS,
    CONTEC_RATE_HZ,
    CONTEC_STEP_UV,
    write_dicom,
    write_ecg90a,
)
from chevet.sim.twins.cart_scp import NOBODY, Ints, Owner, Record, write_scp

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
RATE_HZ, SECONDS = 500, 10
"""What EcgBody gives: 500 samples a second of 1 uV."""
PIECES = 8


def file_of(format_: str, seed: int, taken: datetime.datetime, owner: Owner = NOBODY) -> bytes:
    """Return a file of ten seconds of ECG.

    Args:
        format_: "scp", "dicom" or "ecg90a".
        seed: whose heart.
        taken: the cart's clock.
        owner: whose name it bears.

    Raises:
        ValueError: an unknown format.
    """
    values: Ints = EcgBody(seed).take(0, RATE_HZ * SECONDS)
    match format_:
        case "scp":
            return write_scp(Record(LEADS, values, owner=owner, taken=taken))
        case "dicom":
            return write_dicom(LEADS, values, taken, owner)
        case "ecg90a":
            age = taken.year - owner.born.year if owner.born else 0
            return write_ecg90a(contec_values(values), taken, owner, age=age)
    raise ValueError(f"the format must be one of {', '.join(ENDINGS)}, not {format_}")


def contec_values(values: Ints) -> Ints:
    """Return the eight leads of an ECG90A at its rate and step from twelve at 500 Hz and 1 uV."""
    rows = values[[LEADS.index(name) for name in CONTEC_LEADS]]
    count = rows.shape[1] * CONTEC_RATE_HZ // RATE_HZ
    at = np.arange(count) * RATE_HZ / CONTEC_RATE_HZ
    resampled = np.stack([np.interp(at, np.arange(rows.shape[1]), row) for row in rows])
    return np.round(resampled / CONTEC_STEP_UV).astype(np.int32)


def drop(
    folder: Path,
    name: str,
    data: bytes,
    *,
    slowly_s: float = 0.0,
    renamed: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """Put a file into a folder as a cart does and return its path.

    Args:
        folder: the shared folder.
        name: of the file; carts often put the patient's name into it.
        data: the file.
        slowly_s: written in eight pieces over so many seconds; in between it is there but not whole.
        renamed: written under a name that ends in ".tmp" and renamed at its end.
        sleep: waits.
    """
    path = folder / (f"{name}.tmp" if renamed else name)
    size = -(-len(data) // PIECES)
    with path.open("wb") as file:
        for start in range(0, len(data), size):
            file.write(data[start : start + size])
            file.flush()
            if slowly_s:
                sleep(slowly_s / PIECES)
    return path.rename(folder / name) if renamed else path
