"""The stethoscope's low-pass from 16 to 4 kHz, as the firmware computes it, against SciPy."""

import ctypes

import numpy as np
import pytest
from scipy import signal

RATE_HZ, BY, TAPS = 16_000, 4, 95
DESIGN = signal.firwin(TAPS, 1850, window=("kaiser", signal.kaiser_beta(70)), fs=RATE_HZ)
WHOLE = np.round(DESIGN * 32768).astype(np.int64)


def listen(core, values, louder=0):
    """Return what the firmware makes of 24-bit values."""
    slots = (np.asarray(values, np.int64) << 8).astype(np.uint32)
    sound = np.zeros(len(slots) // BY, np.int16)
    given = core.shim_listen(
        slots.ctypes.data_as(ctypes.c_void_p),
        ctypes.c_size_t(len(slots)),
        louder,
        sound.ctypes.data_as(ctypes.c_void_p),
    )
    assert given == len(sound)
    return sound


@pytest.mark.parametrize("louder", [0, 3, 8])
def test_any_sound_is_filtered_to_the_last_bit(core, louder):
    values = np.random.default_rng(louder).integers(-(1 << 23), 1 << 23, 4000)
    sums = np.convolve(values, WHOLE)[: len(values)][BY - 1 :: BY]
    one = 1 << (23 - louder)
    rounded = np.sign(sums) * ((np.abs(sums) + one // 2) // one)
    assert (listen(core, values, louder) == np.clip(rounded, -32768, 32767)).all()


@pytest.mark.parametrize(
    ("hertz", "least_db", "most_db"),
    [(25, -0.02, 0.02), (500, -0.02, 0.02), (1500, -0.03, 0.02), (2450, -200, -68), (3500, -200, -68)],
)
def test_heart_and_lung_pass_and_what_would_fold_into_them_does_not(core, hertz, least_db, most_db):
    time = np.arange(RATE_HZ) / RATE_HZ
    tone = np.round(8e6 * np.sin(2 * np.pi * hertz * time)).astype(np.int64)
    sound = listen(core, tone)[100:].astype(float) * 256
    gain_db = 20 * np.log10(np.sqrt(2) * sound.std() / 8e6 + 1e-12)
    assert least_db <= gain_db <= most_db
