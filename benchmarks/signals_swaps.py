"""Exchanged electrodes made from real recordings, and how many of them are found."""

import numpy as np
from signals_data import ludb

from chevet.signals import ecg

LIMB = {
    "RA/LA": ("LA", "RA", "LL"),
    "LA/LL": ("RA", "LL", "LA"),
    "RA/LL": ("LL", "LA", "RA"),
    "RA/RL": ("RL", "LA", "LL"),
    "LA/RL": ("RA", "RL", "LL"),
}
CHEST = ((0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 2), (1, 3))


def rewired(leads, order, seed=0):
    """The recording with limb electrodes on other limbs; both legs have nearly one potential."""
    grain = 0.005 * np.random.default_rng(seed).standard_normal(leads.shape)
    potential = {"RA": 0 * leads[0], "LA": leads[0], "LL": leads[1], "RL": leads[1]}
    right, left, leg = (potential[name] for name in order)
    one, two = left - right, leg - right
    centre = (potential["LA"] + potential["LL"]) / 3 - (right + left + leg) / 3
    limb = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    return np.vstack([limb, leads[6:] + centre]) + grain


def exchanged(leads, i, j):
    other = leads.copy()
    other[[6 + i, 6 + j]] = other[[6 + j, 6 + i]]
    return other


def swap_table():
    recordings = [(x, rate) for _, x, rate, _ in ludb()]
    alarms = [bool(ecg.lead_swap(x, rate)) for x, rate in recordings]
    shares = []
    table = {"false alarms % of 65": 100 * float(np.mean(alarms))}
    for name, order in LIMB.items():
        found = [[s.electrodes for s in ecg.lead_swap(rewired(x, order), r)] for x, r in recordings]
        any_limb = np.mean([any(not e[0].startswith("V") for e in each) for each in found])
        shares.append(any_limb)
        exact = np.mean([tuple(name.split("/")) in each for each in found])
        table[name] = f"found {100 * any_limb:.0f} %, named rightly {100 * exact:.0f} %"
    for i, j in CHEST:
        found = [ecg.lead_swap(exchanged(x, i, j), r) for x, r in recordings]
        any_chest = np.mean([any(s.electrodes[0][0] == "V" for s in f) for f in found])
        shares.append(any_chest)
        exact = np.mean([(f"V{i + 1}", f"V{j + 1}") in [s.electrodes for s in f] for f in found])
        table[f"V{i + 1}/V{j + 1}"] = f"found {100 * any_chest:.0f} %, named rightly {100 * exact:.0f} %"
    return table | {"found % of all these": 100 * float(np.mean(shares))}
