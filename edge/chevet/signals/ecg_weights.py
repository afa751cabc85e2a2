"""Weights of the QRS choice, written by benchmarks/signals_fit_qrs.py; do not edit by hand."""

import numpy as np

WEIGHTS = np.array(
    [
        -0.4913,
        3.4243,
        0.8746,
        -0.6295,
        -1.4340,
        -2.1088,
        -3.5741,
        -1.2843,
        -1.4581,
        0.2975,
        0.6250,
        1.7870,
        0.3716,
        0.4221,
    ]
)
