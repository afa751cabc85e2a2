"""First inputs for the fuzzer: what the twins say, worked frames, and what our own writers write.

`run.py --seed` puts them beside the corpus; the fuzzer keeps those that reach something new.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import device_bench
from device_bench import STEP_S
from fuzz_contract import QUIET, SEALED, Subject, step
from fuzz_families import CUTS, FAMILIES, Family
from fuzz_seeds_of_files import VECTORS, written

MOST_BYTES = 1500
"""Long inputs are slow to mutate, and say little more than short ones."""
WORKED = {
    "contec-cms50-v1": ((0, "90283500f28000f28000f28000808172f08000f08000f0c45ff0c45ff0c45ff0c45ff0c45f"),),
    "battery": ((0, "64"), (0, "65"), (1, "4d616b6572")),
    "plx": (
        (0, "0cff07ff070020000800"),
        (1, "0362004100e907030e091e050001"),
        (0, "1f610048006200490060004700200020000035f0"),
    ),
    "polar-h10": ((1, "00ea54a28bd6b9bb080001a10000"), (0, "f00200000001")),
    "viatom-o2ring": ((SEALED, "ff00"), (SEALED, "ff0061004d000000500000140000")),
    "er1": ((SEALED, "0348003c0050c00000000000000000000000000000010100"),),
}
"""By driver: (source or what happens, bytes) that no twin says, or says late."""


def seeds(family: Family) -> Iterator[bytes]:
    """Yield the first inputs of a family."""
    for place, parser in enumerate(family.parsers):
        made = _script(parser) if isinstance(parser, Subject) else written(family.name, parser.name)
        choices = (place, place | CUTS) if isinstance(parser, Subject) and parser.streams else (place,)
        yield from (bytes((choice,)) + one for one in made for choice in choices)


def _script(subject: Subject) -> Iterator[bytes]:
    name = subject.name.removesuffix(" stored")
    for way in sorted({*device_bench.SERIAL, *device_bench.BLUETOOTH, *device_bench.OTHERS}):
        if way.partition(" ")[0] == name:
            for seconds in (1.0, 5.0):
                yield from _heard(subject, device_bench.recorded(way, seconds, STEP_S, STEP_S))
    steps = [step(what, 0.25, bytes.fromhex(data)) for what, data in WORKED.get(name, ())]
    yield b"".join(steps)
    yield from steps
    if name.startswith("kit-"):
        for one in json.loads(VECTORS.read_text())["frames"]:
            yield _identified(name) + step(
                SEALED, 0.1, bytes((one["type"], one["seq"])) + bytes.fromhex(one["payload"])
            )


def _identified(name: str) -> bytes:
    """Return the steps after which a kit driver knows its device and runs."""
    frames = {one["name"]: one for one in json.loads(VECTORS.read_text())["frames"]}
    number = {"kit-ecg": 1, "kit-stethoscope": 2, "kit-oximeter": 3}[name]
    payload = bytearray.fromhex(
        next(one["payload"] for key, one in frames.items() if key.startswith("identity"))
    )
    payload[3] = number
    answer = step(SEALED, 0.25, bytes((0x82, 1, 2, 1, 0)))
    return step(SEALED, 0.1, bytes((0x81, 0)) + bytes(payload)) + step(QUIET, 0.5, b"") + answer


def _heard(subject: Subject, packets: Iterable[device_bench.Heard]) -> Iterator[bytes]:
    """Yield the beginning and the end of what a twin says; time goes as it did, as drivers ask in it."""
    steps, now = [], device_bench.BEGAN - STEP_S  # a step late, lest an answer come before its question
    for at, source, data in packets:
        what = subject.sources.index(source) if source in subject.sources else 0
        while now < at - STEP_S / 2:
            now += STEP_S
            steps.append(step(QUIET, STEP_S, b""))
        steps.append(step(what, 0.0, data))
    first = _up_to(steps, MOST_BYTES // 2)
    yield b"".join(steps[:first])
    yield b"".join(_up_to_bytes(steps, MOST_BYTES))


def _up_to(steps: list[bytes], most: int) -> int:
    size = 0
    for place, one in enumerate(steps):
        size += len(one)
        if size > most:
            return max(1, place)
    return len(steps)


def _up_to_bytes(steps: list[bytes], most: int) -> list[bytes]:
    """Return the first third of the room from the beginning, the rest from the end."""
    head = steps[: _up_to(steps, most // 3)]
    tail = steps[len(head) :][::-1]
    return head + tail[: _up_to(tail, most - most // 3)][::-1] if tail else head


def write(folder: Path, name: str) -> int:
    """Write the first inputs of family `name` into `folder`; return how many."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [one for one in seeds(FAMILIES[name]) if len(one) > 1]
    for number, one in enumerate(made):
        (folder / f"seed-{number:03}").write_bytes(one)
    return len(made)
