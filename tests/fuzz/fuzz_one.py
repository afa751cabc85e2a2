"""Fuzzes one family in this process, started by `run.py`. What follows the family's name is libFuzzer's."""

import shlex
import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parent))


GUIDES = {
    "study": ("chevet.study",),
    "codec": ("chevet.study",),
    "exchange": ("chevet.exchange", "chevet.study"),
}
"""Whose coverage guides the fuzzer, by family; instrumenting takes seconds, so the rest stays as it is."""
INSTRUMENTS = ("chevet.devices", "chevet.bridge")


def main() -> None:
    name, *options = sys.argv[1:]
    with atheris.instrument_imports(include=list(GUIDES.get(name, INSTRUMENTS))):
        from fuzz_families import FAMILIES
    again = shlex.join([sys.executable, __file__, name])  # how libFuzzer starts itself anew when it merges
    atheris.Setup([again, *options], FAMILIES[name].run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
