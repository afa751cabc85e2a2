"""Learn how usual wirings look from LUDB in ../shared/data and write ecg_weights_swap.py.

    python benchmarks/signals_fit_swap.py            # cross-validated figures, then the file is written
    python benchmarks/signals_fit_swap.py --dry-run  # cross-validated figures only

Among all wirings of a recording that could be meant, the right one should score highest: conditional logit,
linear, ridge, folds by record. The figures are on the median beats of right recordings, exchanged by
computation; `signals.py swaps` exchanges the recordings themselves.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from signals_data import DATA, ludb
from signals_learning import as_text

from chevet.signals import ecg, ecg_swap
from chevet.signals.arrays import LEAD_NAMES
from chevet.signals.ecg_wiring import ORDERS, PAIRS, chest_inputs, limb_inputs

FOLDS, RIDGE = 13, {"limb": 3.0, "chest": 10.0}
OUT = Path(__file__).parents[1] / "edge/chevet/signals/ecg_weights_swap.py"


def fitted(x, ridge):
    """Weights that put the first option first; `x` [records, options, inputs] scaled."""

    def loss(w):
        z = x @ w
        e = np.exp(z - z.max(1, keepdims=True))
        p = e / e.sum(1, keepdims=True)
        slope = ((p[:, :, None] * x).sum(1) - x[:, 0]).sum(0)
        return -np.log(p[:, 0] + 1e-12).sum() + ridge * w @ w / 2, slope + ridge * w

    return minimize(loss, np.zeros(x.shape[2]), jac=True, method="L-BFGS-B", options={"maxiter": 300}).x


def learnt(name, x, thresholds, labels):
    spread = x.reshape(-1, x.shape[2]).std(0) + 1e-9
    scaled, fold = x / spread, np.arange(len(x)) % FOLDS
    score = np.zeros(x.shape[:2])
    for k in range(FOLDS):
        score[fold == k] = scaled[fold == k] @ fitted(scaled[fold != k], RIDGE[name])
    gain = score[:, 1:] - score[:, :1] - thresholds
    print(f"{name}: false alarms {100 * np.mean(gain.max(1) > 0):.1f} %, cross-validated")
    for k, label in enumerate(labels, 1):
        found = score[:, 0] - score[:, k] > thresholds[k - 1]
        print(f"   {label}: {100 * found.mean():.0f} % named rightly")
    return fitted(scaled, RIDGE[name]) / spread


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dry-run", action="store_true", help="print figures, write nothing")
    args = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"skipped: {DATA} is not there")
    parts = [ecg_swap.parts_of(x, rate, LEAD_NAMES, ecg.beats_of(x, rate))[0] for _, x, rate, _ in ludb()]
    limb = learnt("limb", np.array([limb_inputs(p) for p in parts]), ecg_swap.LIMB_MARGINS, ORDERS[1:])
    chest_names = [f"V{a + 1}/V{b + 1}" for a, b in PAIRS]
    chest = learnt("chest", np.array([chest_inputs(p) for p in parts]), ecg_swap.CHEST_MARGINS, chest_names)
    if not args.dry_run:
        OUT.write_text(
            '"""Weights of usual wirings, written by benchmarks/signals_fit_swap.py."""\n\n'
            "from chevet.signals.ecg_net import numbers_of\n\n"
            f'LIMB = numbers_of(\n    """\n{as_text(limb)}\n"""\n)\n'
            f'CHEST = numbers_of(\n    """\n{as_text(chest)}\n"""\n)\n'
        )


if __name__ == "__main__":
    main()
