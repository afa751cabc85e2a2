"""Learn the weights of the QRS choice from the MIT-BIH records of ../shared/data and write ecg_weights.py.

    python benchmarks/signals_fit_qrs.py            # cross-validated errors, then the file is written
    python benchmarks/signals_fit_qrs.py --dry-run  # cross-validated errors only

Clean records teach with weight 1, the same records with bursts of electrode-motion, muscle and baseline
noise (12 to -3 dB, drawn at random, see signals_learning.py) with weight 0.4 each. Ventricular fibrillation
is left out. Ventricular, fusion, escape and aberrant beats count four times where no noise was added, and a
third of every record teaches again in pieces of 10 and 30 s, which know few beats of a shape. Folds are by
record; the noise `em` that tests the folds is left out of their teaching.

The same data, the same sources and one thread give the same file: it is written anew whenever what it rests
on (candidates, inputs, the choice) changes.
"""

import argparse
import os
import sys
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # sums in one order: the same weights each time
    os.environ[_threads] = "1"

import numpy as np  # noqa: E402
from signals_data import DATA, beat_codes, f1, in_vf, matched, mitdb, with_noise  # noqa: E402
from signals_learning import as_text, noises, stressed, taught  # noqa: E402

from chevet.signals import ecg_choice, ecg_qrs  # noqa: E402
from chevet.signals.ecg_net import Net  # noqa: E402
from chevet.signals.ecg_odds import odds_inputs  # noqa: E402

FOLDS = 6
ROUNDS = 3
CALM = ("101", "106", "112", "115", "118", "122", "124", "209", "220", "223")
ODD = (4, 5, 6, 10)  # WFDB's codes of aberrant, ventricular, fusion and escape beats
ODD_WEIGHT = 4.0  # rare, and the last that may be lost
SHORT_S, SHORT_WEIGHT = (10, 30), 0.5
OUT = Path(__file__).parents[1] / "edge/chevet/signals/ecg_weights.py"


def one(name, kind, x, rate, beats, codes, vf, weight):
    step = max(1, int(rate / ecg_qrs.WORKING_RATE_HZ))
    seen, first = ecg_qrs.begun(x, np.zeros(len(x), bool), rate, step)
    truth = np.zeros(len(seen.at), dtype=bool)
    weights = np.full(len(seen.at), weight)
    odd_weight = 1.0 if kind.startswith("noisy") else ODD_WEIGHT  # there, an edge that moves looks odd too
    for beat, code in zip(beats / step, codes, strict=True):
        i, j = np.searchsorted(seen.at, [beat - 0.13 * seen.rate_hz, beat + 0.13 * seen.rate_hz])
        if j > i:
            nearest = i + np.argmin(np.abs(seen.at[i:j] - beat))
            truth[nearest] = True
            weights[nearest] *= odd_weight if code in ODD else 1.0
    return {
        "name": name,
        "kind": kind,
        "seen": seen,
        "truth": truth,
        "weight": weights,
        "use": ~in_vf(seen.at * step, vf, rate),
        "beats": beats[~in_vf(beats, vf, rate)] / step,
        "odd": np.isin(codes, ODD)[~in_vf(beats, vf, rate)],
        "vf": [(a / step, b / step) for a, b in vf],
        "chosen": first,
        "states": [],
    }


def gathered(teaching):
    """Every record clean, noisy for teaching, and (calm ones) with `em` at 6 and 0 dB for testing."""
    sets = []
    for fold, (name, x, rate, beats, vf) in enumerate(mitdb()):
        rng = np.random.default_rng(fold)
        versions = [("clean", x, 1.0)]
        versions += [(f"noisy {i}", stressed(x, beats, rate, rng, teaching), 0.4) for i in range(2)]
        if name in CALM:
            versions += [(f"em {db} dB", with_noise(x, beats, rate, "em", db, fold), 0.0) for db in (6, 0)]
        codes = beat_codes(name)
        made = [one(name, k, y, rate, beats, codes, vf, w) for k, y, w in versions]
        made += short(name, x, rate, beats, codes, vf)
        sets += [s | {"fold": fold % FOLDS} for s in made]
        print(name, end=" ", file=sys.stderr, flush=True)
    return sets


def short(name, x, rate, beats, codes, vf):
    """Pieces as short as an ECG of 12 leads is, which know fewer beats of a shape: a third of the record."""
    made = []
    for length in SHORT_S:
        size = length * rate
        for start in range(0, len(x) - size + 1, 3 * size):
            inside = (beats >= start + 20) & (beats < start + size - 20)
            near = [(a - start, b - start) for a, b in vf if b > start and a < start + size]
            piece = x[start : start + size]
            weight = SHORT_WEIGHT
            made.append(
                one(name, f"{length} s", piece, rate, beats[inside] - start, codes[inside], near, weight)
            )
    return [s for s in made if s["chosen"].sum() > 3]


def fitted(sets, folds):
    some = [s for s in sets if s["fold"] in folds and s["weight"].any()]
    rows = [(s, state) for s in some for state in s["states"][-2:]]
    x = np.concatenate([state[s["use"]] for s, state in rows])
    y = np.concatenate([s["truth"][s["use"]] for s, _ in rows])
    weight = np.concatenate([s["weight"][s["use"]] for s, _ in rows])
    return Net(*taught(x, y, weight))


def chosen_by(net, s):
    keep = ecg_choice.BATCH
    ecg_choice.BATCH = net
    try:
        odds = ecg_choice.odds_of(s["states"][-1])
    finally:
        ecg_choice.BATCH = keep
    found = ecg_choice.sequence(odds, s["seen"].at_s, s["chosen"])
    return found if found.sum() > 3 else s["chosen"]


def run(sets, folds):
    """Teach in rounds, each from what the round before chose; return the last round's nets by fold."""
    nets = {}
    for s in sets:
        s["states"] = [odds_inputs(s["seen"], s["chosen"])]
    for turn in range(ROUNDS):
        for fold in folds:
            rest = set(range(FOLDS)) - ({fold} if len(folds) > 1 else set())
            nets[fold] = fitted(sets, rest)
        for s in sets:
            s["chosen"] = chosen_by(nets[s["fold"] if len(folds) > 1 else folds[0]], s)
            s["states"] = [*s["states"][-1:], odds_inputs(s["seen"], s["chosen"])]
        report(turn, sets)
    return nets


def report(turn, sets):
    for kind in dict.fromkeys(s["kind"] for s in sets):
        hits = missed = extra = odd = kept = 0
        worst = []
        for s in (s for s in sets if s["kind"] == kind):
            at = s["seen"].centre[s["chosen"]]
            at = at[~in_vf(at, s["vf"], s["seen"].rate_hz)]
            pairs, lost, wrong = matched(s["beats"], at, 0.15 * s["seen"].rate_hz)
            hits, missed, extra = hits + len(pairs), missed + lost, extra + wrong
            odd, kept = odd + s["odd"].sum(), kept + sum(s["odd"][i] for i, _ in pairs)
            worst.append((lost + wrong, s["name"]))
        few = ", ".join(f"{name} {count}" for count, name in sorted(worst, reverse=True)[:5])
        figure = 100 * f1(hits, missed, extra)
        print(
            f"round {turn + 1} {kind:9s} F1 {figure:.2f} % missed {missed} (odd {odd - kept} of {odd}) extra "
            f"{extra}; {few}",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dry-run", action="store_true", help="print figures, write nothing")
    parser.add_argument("--no-folds", action="store_true", help="skip the cross-validation")
    args = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"skipped: {DATA} is not there")
    if not args.no_folds:
        print("cross-validated by record, tested with noise never taught")
        run(gathered(noises(held_out=("em",))), list(range(FOLDS)))
    if not args.dry_run:
        print("all records and noises, for the file (these figures flatter)")
        write(run(gathered(noises()), [0])[0])


def write(net):
    parts = (net.middle, net.spread, net.hidden, net.bias, net.out, [net.start])
    text = as_text(np.concatenate([np.ravel(p) for p in parts]))
    OUT.write_text(
        '"""Weights of the QRS choice, written by benchmarks/signals_fit_qrs.py; do not edit by hand."""\n\n'
        "from chevet.signals.ecg_net import net_of\n\n"
        f'BATCH = net_of(\n    {len(net.middle)},\n    """\n{text}\n""",\n)\n'
    )


if __name__ == "__main__":
    main()
