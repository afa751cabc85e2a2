"""Fuzz the parsers, family by family, guided by their coverage.

make fuzz                                ten minutes for each family
make fuzz FUZZ_SECONDS=20 FUZZ_JOBS=2    what every change must pass
.venv/bin/python tests/fuzz/run.py --family kit --family contec
.venv/bin/python tests/fuzz/run.py --family kit --replay artefacts/fuzz/kit/crash-0123
.venv/bin/python tests/fuzz/run.py --seconds 600 --keep     and merge what was found into the corpus

Whatever breaks a parser is kept in artefacts/fuzz/FAMILY, with the line that shows it again; the exit code is
then 1.
"""

import argparse
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE / part) for part in (".", "..", "../study", "../devices", "../exchange")]

CORPUS = HERE / "corpus"
FOUND = ROOT / "artefacts" / "fuzz"
LONGEST_INPUT = 2048
SLOWEST_S = 20
"""One input takes milliseconds; more than this is a hang even on a loaded machine."""
MOST_MEMORY_MB = 2048
CORPUS_BYTES = 30_000
"""A family's corpus in the repository; smallest inputs first."""
PULSE = re.compile(r"^#(\d+)\t.*cov: (\d+) ft: (\d+) corp: (\d+)")
_say = threading.Lock()


@dataclass(slots=True)
class Outcome:
    """What fuzzing one family gave: how many inputs, seconds, features reached, files that break it."""

    family: str
    inputs: int
    seconds: float
    features: int
    broken: list[Path]
    words: str = ""

    @property
    def good(self) -> bool:
        return not self.broken and not self.words

    def __str__(self) -> str:
        end = "held" if self.good else "BROKEN"
        pace = f"{self.inputs / max(self.seconds, 1e-9):.0f}/s"
        counts = f"{self.inputs:>10} inputs {self.seconds:>6.0f} s {pace:>8} {self.features:>6} features"
        return f"{self.family:<15}{counts}  {end}"


def main() -> int:
    options = _options()
    if options.replay:
        return _replay(options.family[0], options.replay)
    if importlib.util.find_spec("atheris") is None:
        _tell(
            "Fuzzing is skipped: atheris has no build for this machine. `make test` has replayed the corpus."
        )
        return 0
    from fuzz_families import FAMILIES

    names = options.family or list(FAMILIES)
    if unknown := set(names) - set(FAMILIES):
        _tell(f"No such family: {', '.join(sorted(unknown))}. There are: {', '.join(FAMILIES)}")
        return 2
    each = f"{options.seconds} s each, {options.jobs} at a time"
    _tell(f"Fuzzing {len(names)} families of parsers, {each}: {', '.join(names)}")
    with ThreadPoolExecutor(options.jobs) as pool:
        done = list(pool.map(lambda name: _fuzz(name, options), names))
    return _report(done)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--family", action="append", help="only this family (may be given again)")
    parser.add_argument("--seconds", type=int, default=600, help="for each family (default 600)")
    parser.add_argument("--jobs", type=int, default=1, help="families at a time (default 1)")
    parser.add_argument("--seed", action="store_true", help="begin with what twins and writers say, too")
    parser.add_argument("--keep", action="store_true", help="merge what was found into tests/fuzz/corpus")
    parser.add_argument("--replay", type=Path, help="run one kept input of --family and show what breaks")
    options = parser.parse_args()
    if options.replay and not options.family:
        parser.error("--replay needs --family")
    return options


def _replay(family: str, file: Path) -> int:
    from fuzz_families import FAMILIES

    FAMILIES[family].run(file.read_bytes())
    _tell(f"{family} holds against {file.name}")
    return 0


def _fuzz(name: str, options: argparse.Namespace) -> Outcome:
    """Fuzz one family in a process of its own."""
    kept = FOUND / name
    kept.mkdir(parents=True, exist_ok=True)
    before = set(kept.iterdir())
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chevet-fuzz-") as folder:
        new, seeds = Path(folder) / "new", Path(folder) / "seeds"
        new.mkdir()
        sources = [str(CORPUS / name)] if (CORPUS / name).is_dir() else []
        if options.seed:
            from fuzz_seeds import write

            write(seeds, name)
            sources.append(str(seeds))
        limits = [
            f"-max_total_time={options.seconds}",
            f"-max_len={LONGEST_INPUT}",
            f"-timeout={SLOWEST_S}",
            f"-rss_limit_mb={MOST_MEMORY_MB}",
            f"-artifact_prefix={kept}/",
        ]
        outcome = _watch(name, [*limits, str(new), *sources])
        if options.keep and outcome.good:
            _merge(name, [str(new), *sources])
    outcome.seconds = time.monotonic() - began
    outcome.broken = sorted(set(kept.iterdir()) - before)
    _tell(str(outcome))
    return outcome


def _child(name: str, options: list[str]) -> subprocess.Popen[str]:
    command = [sys.executable, str(HERE / "fuzz_one.py"), name, *options]
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )


def _watch(name: str, options: list[str]) -> Outcome:
    """Run the fuzzer, telling how far it is every half minute."""
    outcome = Outcome(name, 0, 0.0, 0, [])
    process = _child(name, options)
    told, tail = time.monotonic(), []
    for line in process.stdout or ():
        if match := PULSE.match(line):
            outcome.inputs, outcome.features = int(match[1]), int(match[3])
            if time.monotonic() - told > 30:
                told = time.monotonic()
                _tell(f"{name:<15}{outcome.inputs:>10} inputs, {outcome.features} features ...")
        elif not line.startswith("INFO: Instrumenting"):
            tail = [*tail[-60:], line.rstrip()]
    if process.wait() != 0:
        outcome.words = "\n".join(tail)
    return outcome


def _merge(name: str, sources: list[str]) -> None:
    """Make the corpus the smallest set of inputs that reaches all that was reached, within its budget."""
    with tempfile.TemporaryDirectory(prefix="chevet-corpus-") as folder:
        process = _child(name, ["-merge=1", f"-max_len={LONGEST_INPUT}", folder, *sources])
        process.communicate()
        files = sorted(Path(folder).iterdir(), key=lambda file: (file.stat().st_size, file.name))
        corpus = CORPUS / name
        shutil.rmtree(corpus, ignore_errors=True)
        corpus.mkdir(parents=True)
        left = CORPUS_BYTES
        for file in files:
            left -= file.stat().st_size
            if left >= 0:
                shutil.copy(file, corpus / file.name[:16])


def _report(done: list[Outcome]) -> int:
    bad = [one for one in done if not one.good]
    for one in bad:
        _tell(f"\n{one.family}:\n{one.words}")
        for file in one.broken:
            again = f"run.py --family {one.family} --replay {file.relative_to(ROOT)}"
            _tell(f"Again: .venv/bin/python tests/fuzz/{again}")
    inputs, end = sum(one.inputs for one in done), f"{len(bad)} BROKEN" if bad else "no crash, no hang"
    _tell(f"\n{inputs} inputs for {len(done)} families: {end}")
    return 1 if bad else 0


def _tell(text: str) -> None:
    with _say:
        print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
