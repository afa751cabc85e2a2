"""Weights of the pulse choice, written by benchmarks/signals_fit_pulses.py; do not edit by hand."""

import numpy as np

WEIGHTS = np.array(
    [
        1.2002,
        -1.6394,
        -0.6653,
        0.2031,
        -0.6088,
        1.9912,
        -2.1175,
        3.9460,
        -4.1008,
        -1.7697,
        -0.1944,
        0.0509,
        0.1708,
        -0.2654,
        2.2657,
        1.6358,
        2.7900,
        0.8880,
        0.0005,
        0.3676,
    ]
)
