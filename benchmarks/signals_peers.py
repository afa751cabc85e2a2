"""Open tools that do what chevet.signals does, asked in a process of their own.

So their needs (an older pandas) do not meet ours, and their CPU time is told apart. To install them:

    python3 -m venv .venv-bench
    .venv-bench/bin/pip install --upgrade pip       # 25.1 or newer knows groups
    .venv-bench/bin/pip install --group bench

`Peers` starts this file under that Python (or the one named) and talks to it by pickles over its pipes. What
is not installed is left out, and said. The textbook baselines (`plain`) are those of ../shared/bench, where
it lies beside the project.
"""

import importlib
import importlib.util
import os
import pickle
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve()
PLAIN = HERE.parents[2] / "shared" / "bench"
MISSING = "not installed; how to do it stands at the head of benchmarks/signals_peers.py"


def gqrs(x, rate):
    from wfdb.processing import gqrs_detect

    return gqrs_detect(d_sig=np.round(x * 200).astype(int), fs=rate, adc_gain=200, adc_zero=0)


def xqrs(x, rate):
    from wfdb.processing import XQRS

    found = XQRS(sig=x, fs=rate)
    found.detect(verbose=False)
    return found.qrs_inds


def sleepecg_qrs(x, rate):
    import sleepecg

    return sleepecg.detect_heartbeats(x, rate)


def neurokit_qrs(x, rate):
    import neurokit2

    return neurokit2.ecg_peaks(neurokit2.ecg_clean(x, rate), rate)[1]["ECG_R_Peaks"]


def heartpy_qrs(x, rate):
    import heartpy

    calm = heartpy.scale_data(heartpy.remove_baseline_wander(x, rate))
    return _good_peaks(heartpy.process(calm, rate)[0])


def _good_peaks(found):
    return np.array(found["peaklist"])[np.array(found["binary_peaklist"]) == 1]


def ecgdeli_waves(leads, rate):
    import ecgdeli

    table = ecgdeli.annotate(ecgdeli.filter_ecg(leads.T, rate), rate).consensus
    names = {
        "P": ("P_on", "P_peak", "P_off"),
        "QRS": ("QRS_on", "R", "QRS_off"),
        "T": ("T_on", "T_peak", "T_off"),
    }
    where = {name: i for i, name in enumerate(ecgdeli.FPT_COLUMNS[:12])}
    positions, valid = table.positions, table.valid
    return {
        f"{wave}_{end}": positions[:, where[column]][valid[:, where[column]]]
        for wave, columns in names.items()
        for end, column in zip(("on", "peak", "off"), columns, strict=True)
    }


def neurokit_waves(leads, rate):
    """Lead II alone: it takes one lead."""
    import neurokit2

    calm = neurokit2.ecg_clean(leads[1], rate)
    beats = neurokit2.ecg_peaks(calm, rate)[1]["ECG_R_Peaks"]
    found = neurokit2.ecg_delineate(calm, beats, rate, method="dwt")[1]
    names = {"P": "P", "QRS": "R", "T": "T"}
    ends = {"on": "Onsets", "peak": "Peaks", "off": "Offsets"}
    marks = {
        f"{wave}_{end}": [v for v in found.get(f"ECG_{letter}_{word}", []) if v == v]
        for wave, letter in names.items()
        for end, word in ends.items()
    }
    return {name: np.array(v, dtype=int) for name, v in (marks | {"QRS_peak": beats}).items()}


def neurokit_pulses(x, rate):
    import neurokit2

    return neurokit2.ppg_findpeaks(neurokit2.ppg_clean(x, rate), rate)["PPG_Peaks"]


def heartpy_pulses(x, rate):
    import heartpy

    return _good_peaks(heartpy.process(heartpy.filter_signal(x, [0.5, 8], rate, 3, "bandpass"), rate)[0])


def neurokit_quality(x, rate):
    """Mean of its quality in each 10 s."""
    import neurokit2

    each = np.asarray(neurokit2.ecg_quality(neurokit2.ecg_clean(x, rate), sampling_rate=rate))
    return each[: len(x) // (10 * rate) * 10 * rate].reshape(-1, 10 * rate).mean(axis=1)


def _plain(module, name):
    def ask(*given):
        sys.path[:0] = [str(PLAIN)]
        return getattr(importlib.import_module(module), name)(*given)

    return ask


# By task and peer: what has to be installed, and what to call. "plain" has its own folder instead.
TASKS = {
    "qrs": {
        "gqrs": ("wfdb", gqrs),
        "xqrs": ("wfdb", xqrs),
        "sleepecg": ("sleepecg", sleepecg_qrs),
        "neurokit2": ("neurokit2", neurokit_qrs),
        "heartpy": ("heartpy", heartpy_qrs),
    },
    "waves": {"ecgdeli": ("ecgdeli", ecgdeli_waves), "neurokit2, lead II": ("neurokit2", neurokit_waves)},
    "pulses": {"neurokit2": ("neurokit2", neurokit_pulses), "heartpy": ("heartpy", heartpy_pulses)},
    "quality": {"neurokit2": ("neurokit2", neurokit_quality)},
    "sound": {"envelope": ("plain", _plain("bench_pcg", "hilbert_autocorr"))},
    "breathing": {"three modulations": ("plain", _plain("bench_ppg", "nk_rsp"))},
    "spo2": {"ratio of RMS": ("plain", _plain("bench_ppg", "ratio_of_ratios"))},
    "pictures": {
        "Laplacian": ("plain", _plain("bench_image", "variance_of_laplacian")),
        "Tenengrad": ("plain", _plain("bench_image", "tenengrad")),
    },
}

IMPORTED = {
    "wfdb": "wfdb.processing",
    **{name: name for name in ("sleepecg", "neurokit2", "heartpy", "ecgdeli")},
}


class Peers:
    """The peers of one run; `of` a task names them, `ask` calls one."""

    def __init__(self, python=None, *, idle=False):
        """Start under the Python named, else under .venv-bench, else under this one; idle peers only draw."""
        bench = HERE.parents[1] / ".venv-bench" / "bin" / "python"
        self.python = str(python or (bench if bench.exists() else sys.executable))
        self._process = subprocess.Popen(
            [self.python, str(HERE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.versions = {} if idle else self._told(None)

    def of(self, task):
        """Name the peers that can do a task here."""
        return [name for name, (package, _) in TASKS.get(task, {}).items() if package in self.versions]

    def absent(self):
        """Name the packages that are not there."""
        return sorted({package for t in TASKS.values() for package, _ in t.values()} - set(self.versions))

    def ask(self, task, name, *given):
        """Return a peer's answer and the CPU seconds it took; None where it failed."""
        return self._told((task, name, given))

    def plots(self, kept, folder):
        """Draw under the peers' Python; returns the paths, none where matplotlib is missing there."""
        return self._told(("plots", "", (kept, folder))) or []

    def _told(self, question):
        pickle.dump(question, self._process.stdin)
        self._process.stdin.flush()
        return pickle.load(self._process.stdout)

    def close(self):
        """End the process."""
        self._process.stdin.close()
        self._process.wait(timeout=30)


def installed():
    """Return the versions of what can be imported here."""
    from importlib import metadata

    found = {"plain": "-"} if PLAIN.is_dir() else {}
    for package in {p for task in TASKS.values() for p, _ in task.values()} - {"plain"}:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def answered(question):
    """Do what is asked; a peer that fails on a recording has found nothing there."""
    task, name, given = question
    if task == "plots":
        return drawn(*given)
    package, ask = TASKS[task][name]
    if package in IMPORTED:
        importlib.import_module(IMPORTED[package])  # loading it is not its work
    start = time.process_time()
    try:
        answer = ask(*given)
    except Exception as error:  # noqa: BLE001  whatever another's code raises
        print(f"{name} failed: {error!r}"[:120], file=sys.stderr)
        answer = None
    return answer, time.process_time() - start


def drawn(kept, folder):
    """Draw what was kept; no plots where matplotlib is missing."""
    if importlib.util.find_spec("matplotlib") is None:
        print(f"no plots: matplotlib is {MISSING}", file=sys.stderr)
        return []
    import signals_plots

    return signals_plots.drawn(kept, folder)


def main():
    """Answer questions until the pipe closes; what peers print goes to stderr."""
    warnings.simplefilter("ignore")
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while True:
        try:
            question = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(installed() if question is None else answered(question), out)
        out.flush()


if __name__ == "__main__":
    main()
