"""Fit the calibration of the one finger sensor at hand (OxiWear, ../shared/data), and say how well it holds.

    PYTHONPATH=edge python benchmarks/signals_fit_spo2.py

A line through SpO2 over the ratio of ratios R; a parabola is tried beside it. The errors are of recordings
left out of the fit, one after the other. The numbers go by hand into `OXIWEAR` of signals_adapters.py: they
are this sensor's on this finger, no product's.
"""

import sys

import numpy as np
from signals_data import DATA, oxiwear

from chevet.signals.pleth_spo2 import ratio_of_ratios


def ratios():
    """Return R and the value in the file's name of every recording that has an R."""
    found = [(ratio_of_ratios(red, infrared, rate), truth) for red, infrared, rate, truth in oxiwear()]
    return np.array([pair for pair in found if pair[0] is not None]).T


def left_out(ratio, truth, degree):
    """Return the error of each recording by a fit to the others."""
    away = np.empty(len(ratio))
    for one in range(len(ratio)):
        others = np.arange(len(ratio)) != one
        away[one] = np.polyval(np.polyfit(ratio[others], truth[others], degree), ratio[one]) - truth[one]
    return away


def main():
    if not DATA.is_dir():
        sys.exit(f"skipped: {DATA} is not there")
    ratio, truth = ratios()
    for degree, name in ((1, "line"), (2, "parabola")):
        fit = np.polyfit(ratio, truth, degree)
        own = np.polyval(fit, ratio) - truth
        away = left_out(ratio, truth, degree)
        terms = " ".join(f"{weight:+.2f} R^{power}" for power, weight in enumerate(fit[::-1]))
        print(
            f"{name:8s} of {len(ratio)}: SpO2 = {terms}; "
            f"RMSE {np.sqrt(np.mean(own**2)):.2f} %, left out {np.sqrt(np.mean(away**2)):.2f} %"
        )


if __name__ == "__main__":
    main()
