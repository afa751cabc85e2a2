"""Learn the weights of the streaming QRS judge from MIT-BIH and write ecg_weights_live.py.

    python benchmarks/signals_fit_stream.py            # cross-validated errors, then the file is written
    python benchmarks/signals_fit_stream.py --dry-run  # cross-validated errors only

Clean records teach with weight 1, the first ten minutes of the same records with bursts of noise (12 to -3
dB) with weight 0.3. In the first round the judge remembers the true beats, later what it decided itself,
by weights that never saw the record. The file's weights are learnt on all records in the last round's state.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from signals_data import DATA, f1, in_vf, matched, mitdb
from signals_learning import as_text, noises, stressed, taught

from chevet.signals.ecg_live import LiveJudge
from chevet.signals.ecg_net import Net
from chevet.signals.ecg_stream import LiveFeatures

FOLDS = 4
ROUNDS = 3
CHUNK_S, MARGIN_S = 20, 5
REFRACTORY_S, LEARN_S = 0.19, 2.0
OUT = Path(__file__).parents[1] / "edge/chevet/signals/ecg_weights_live.py"


def candidates(x, rate):
    """All candidates of a recording, as the stream would hear them."""
    features, gap = LiveFeatures(float(rate)), np.zeros(len(x), bool)
    found = []
    for start in range(0, len(x) - rate, CHUNK_S * rate):
        low, high = max(start - MARGIN_S * rate, 0), start + (CHUNK_S + 1) * rate
        end = min(start + CHUNK_S * rate, len(x) - rate)
        found += features.heard(x[low:high], gap[low:high], low, start, end)
    return found


def one(kind, x, rate, beats, vf, weight):
    found = candidates(x, rate)
    at = np.array([a for a, _ in found])
    beats = beats[beats < len(x) - rate]
    truth = np.zeros(len(at), dtype=bool)
    for beat in beats:
        i, j = np.searchsorted(at, [beat - 0.13 * rate, beat + 0.13 * rate])
        if j > i:
            truth[i + np.argmin(np.abs(at[i:j] - beat))] = True
    return {
        "kind": kind,
        "heard": [h for _, h in found],
        "at": at,
        "truth": truth,
        "use": ~in_vf(at, vf, rate),
        "beats": beats[~in_vf(beats, vf, rate)],
        "vf": vf,
        "rate": rate,
        "weight": weight,
    }


def lived(s, net):
    """Let the judge live through a recording; without a net it is told the truth."""
    judge = LiveJudge([h for h in s["heard"] if h.at_s < LEARN_S])
    rows, taken = [], []
    for heard, true in zip(s["heard"], s["truth"], strict=True):
        row = judge.inputs(heard)
        odds = float(net.odds(row[None])[0]) if net else (5.0 if true else -5.0)
        is_beat = odds > 0 and judge.since_s(heard.at_s) >= REFRACTORY_S
        judge.take(heard, odds, is_beat)
        rows.append(row)
        taken.append(is_beat)
    s["states"] = [*s.get("states", [])[-1:], np.array(rows, np.float32)]
    s["taken"] = np.array(taken)


def fitted(sets):
    rows = [(s, state) for s in sets for state in s["states"]]
    x = np.concatenate([state[s["use"]] for s, state in rows])
    y = np.concatenate([s["truth"][s["use"]] for s, _ in rows])
    weight = np.concatenate([np.full(s["use"].sum(), s["weight"]) for s, _ in rows])
    return Net(*taught(x, y, weight, hidden=24, epochs=5))


def report(turn, sets):
    for kind in dict.fromkeys(s["kind"] for s in sets):
        hits = missed = extra = 0
        worst = []
        for s in (s for s in sets if s["kind"] == kind):
            found = s["at"][s["taken"]]
            found = found[~in_vf(found, s["vf"], s["rate"])]
            pairs, lost, wrong = matched(s["beats"], found, 0.15 * s["rate"])
            hits, missed, extra = hits + len(pairs), missed + lost, extra + wrong
            worst.append((lost + wrong, lost, s["name"]))
        few = ", ".join(f"{name} {lost}+{all_ - lost}" for all_, lost, name in sorted(worst)[:-7:-1])
        figure = 100 * f1(hits, missed, extra)
        print(f"round {turn} {kind:6s} F1 {figure:.2f} % missed {missed} extra {extra}; {few}", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dry-run", action="store_true", help="print figures, write nothing")
    args = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"skipped: {DATA} is not there")
    sets = []
    for fold, (name, x, rate, beats, vf) in enumerate(mitdb()):
        noisy = stressed(x, beats, rate, np.random.default_rng(fold), noises())[: 600 * rate]
        versions = (one("clean", x, rate, beats, vf, 1.0), one("noisy", noisy, rate, beats, vf, 0.3))
        sets += [s | {"name": name, "fold": fold % FOLDS} for s in versions]
        print(name, end=" ", file=sys.stderr, flush=True)
    for s in sets:
        lived(s, None)
    for turn in range(1, ROUNDS + 1):
        nets = [fitted([s for s in sets if s["fold"] != fold]) for fold in range(FOLDS)]
        if turn == ROUNDS and not args.dry_run:
            write(fitted(sets))
        for s in sets:
            lived(s, nets[s["fold"]])
        report(turn, sets)


def write(net):
    parts = (net.middle, net.spread, net.hidden, net.bias, net.out, [net.start])
    text = as_text(np.concatenate([np.ravel(p) for p in parts]))
    OUT.write_text(
        '"""Weights of the streaming QRS judge, written by benchmarks/signals_fit_stream.py."""\n\n'
        "from chevet.signals.ecg_net import net_of\n\n"
        f'LIVE = net_of(\n    {len(net.middle)},\n    """\n{text}\n""",\n)\n'
    )


if __name__ == "__main__":
    main()
