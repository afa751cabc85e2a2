"""A scenario: who the patient is, which instruments there are, and what goes wrong when, in one TOML file.

Reading is strict: an unknown key, a wrong type or a moment before the beginning is refused with its line.
"""

import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from chevet.sim.errors import SimError
from chevet.sim.one_heart import ConditionError, named

KEYS = {
    "title": str,
    "story": str,
    "seed": int,
    "patient": str,
    "devices": list,
    "play": dict,
    "repeat_s": (int, float),
    "at": list,
}
STEP_KEYS = {
    "s": (int, float),
    "target": str,
    "fault": str,
    "value": (str, int, float),
    "for_s": (int, float),
    "off": bool,
    "patient": str,
    "say": str,
}
TYPES = {str: "text", int: "a whole number", list: "a list", dict: "a table", bool: "true or false"}
LONGEST_S = 7 * 86400.0


class ScenarioError(SimError):
    """A scenario cannot be used.

    Attributes:
        line: where in the file, 0 where it cannot be told.
        key: which key is wrong, "" where none is.
    """

    def __init__(self, place: str, line: int, key: str, sentence: str) -> None:
        super().__init__(f"{place}{f', line {line}' if line else ''}{f', {key}' if key else ''}: {sentence}")
        self.line, self.key = line, key


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens.

    Attributes:
        at_s: seconds after the beginning.
        target, fault, value: what, as for `chevet-sim control`; "" where only something is said.
        on: whether it is turned on or off.
        say: told to the tester.
        line: in the file.
    """

    at_s: float
    target: str
    fault: str
    value: str
    on: bool
    say: str
    line: int

    def sentence(self) -> str:
        """Return what happens, for a list."""
        if not self.target:
            return self.say
        what = f"{self.target} {self.fault} {self.value}".rstrip()
        return f"{what} {'on' if self.on else 'off'}{f': {self.say}' if self.say else ''}"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a file says.

    Attributes:
        place: name of the file.
        title, story: for people.
        seed: None leaves it to the command.
        patient: condition, None plays recordings.
        devices: ids; empty for the usual ones.
        play: recordings by id of an instrument, paths as in the file.
        repeat_s: the timeline begins again after so long, 0 for never.
        steps: by time.
    """

    place: str
    title: str
    story: str
    seed: int | None
    patient: str | None
    devices: tuple[str, ...]
    play: dict[str, str]
    repeat_s: float
    steps: tuple[Step, ...]

    @property
    def lasts_s(self) -> float:
        """Seconds until the last step."""
        return self.steps[-1].at_s if self.steps else 0.0


def find(name: str) -> Path:
    """Return the file of that path, or the scenario of that name among those that are shipped.

    Raises:
        ScenarioError: neither is there.
    """
    path = Path(name)
    if path.is_file():
        return path
    known = shipped()
    if name in known:
        return known[name]
    raise ScenarioError(name, 0, "", f"no such file; ready ones are {', '.join(known)}")


def shipped() -> dict[str, Path]:
    """Return the scenarios that are shipped, by name."""
    folder = Path(str(resources.files("chevet.sim") / "scenarios"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def read(path: Path) -> Scenario:
    """Return the scenario in a file.

    Raises:
        ScenarioError: it cannot be read, or says something that means nothing; line and key are named.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(str(path), 0, "", f"cannot be read: {error}") from error
    return parse(text, path.name)


def parse(text: str, place: str = "scenario") -> Scenario:
    """Return the scenario in `text`; `place` is its name in errors.

    Raises:
        ScenarioError: as `read`.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise ScenarioError(place, int(line[1]) if line else 0, "", f"is no TOML: {error}") from error
    return _Reader(text, place).scenario(table)


class _Reader:
    """Reads one file's tables and knows on which line each key stands."""

    def __init__(self, text: str, place: str) -> None:
        self._lines = text.splitlines()
        self._place = place
        heads = [number for number, line in enumerate(self._lines, 1) if line.strip().startswith("[[at]]")]
        self._heads = [*heads, len(self._lines) + 1]

    def scenario(self, table: dict[str, Any]) -> Scenario:
        self._check(table, KEYS, -1)
        steps = [step for number, row in enumerate(table.get("at", [])) for step in self._steps(row, number)]
        repeat_s = float(table.get("repeat_s", 0))
        last_s = max((step.at_s for step in steps), default=0.0)
        if "repeat_s" in table and not last_s < repeat_s <= LONGEST_S:
            raise self._wrong("repeat_s", -1, f"has to be above the last step's {last_s:g} s")
        return Scenario(
            self._place,
            table.get("title", self._place),
            table.get("story", ""),
            self._seed(table),
            self._condition(table["patient"], -1) if "patient" in table else None,
            self._texts(table.get("devices", []), "devices"),
            self._play(table.get("play", {})),
            repeat_s,
            tuple(sorted(steps, key=lambda step: step.at_s)),
        )

    def _seed(self, table: dict[str, Any]) -> int | None:
        seed = table.get("seed")
        if seed is not None and seed < 0:
            raise self._wrong("seed", -1, "is 0 or more")
        return seed

    def _texts(self, found: list[Any], key: str) -> tuple[str, ...]:
        if not all(isinstance(one, str) for one in found):
            raise self._wrong(key, -1, "is a list of texts")
        if len(set(found)) < len(found):
            raise self._wrong(key, -1, "names something twice")
        return tuple(found)

    def _play(self, found: dict[str, Any]) -> dict[str, str]:
        for name, path in found.items():
            if not isinstance(path, str):
                raise self._wrong(name, -1, "is the path of a recording")
        return dict(found)

    def _steps(self, row: Any, number: int) -> list[Step]:
        if not isinstance(row, dict):
            raise self._wrong("at", -1, "is written as [[at]] tables")
        self._check(row, STEP_KEYS, number)
        if "s" not in row:
            raise self._wrong("s", number, "is missing: when does this happen, in seconds?")
        if not 0 <= row["s"] <= LONGEST_S:
            raise self._wrong("s", number, f"is 0 to {LONGEST_S:g} seconds")
        target, fault, value = self._what(row, number)
        line, on = self._line("s", number), not row.get("off", False)
        first = Step(float(row["s"]), target, fault, value, on, row.get("say", ""), line)
        if "for_s" not in row:
            return [first]
        if not row["for_s"] > 0 or not on or not target or target == "patient":
            raise self._wrong("for_s", number, "is above 0 and goes with a fault that is turned on")
        return [first, Step(first.at_s + float(row["for_s"]), target, fault, "", False, "", line)]

    def _what(self, row: dict[str, Any], number: int) -> tuple[str, str, str]:
        """Return target, fault and value of a step."""
        if "patient" in row:
            for key in ("target", "fault", "value", "off"):
                if key in row:
                    raise self._wrong(key, number, "does not go with `patient`: use two steps")
            return "patient", "condition", self._condition(row["patient"], number)
        if ("target" in row) != ("fault" in row):
            missing = "fault" if "target" in row else "target"
            raise self._wrong(missing, number, "is missing: a step names both target and fault")
        if "target" not in row and "say" not in row:
            raise self._wrong("target", number, "is missing: a step has target and fault, patient, or say")
        value = row.get("value", "")
        return row.get("target", ""), row.get("fault", ""), value if isinstance(value, str) else f"{value:g}"

    def _condition(self, name: str, number: int) -> str:
        try:
            return named(name)
        except ConditionError as error:
            raise self._wrong("patient", number, str(error)) from error

    def _check(self, table: dict[str, Any], keys: dict[str, Any], number: int) -> None:
        for key, value in table.items():
            if key not in keys:
                raise self._wrong(key, number, f"is no key here; there are {', '.join(keys)}")
            allowed = keys[key] if isinstance(keys[key], tuple) else (keys[key],)
            if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
                words = "a number" if float in allowed else TYPES[allowed[0]]
                raise self._wrong(key, number, f"is {words}, not {value!r}")

    def _wrong(self, key: str, number: int, sentence: str) -> ScenarioError:
        return ScenarioError(self._place, self._line(key, number), key, sentence)

    def _line(self, key: str, number: int) -> int:
        """Return the line of a key in the whole file's head (-1) or in the `[[at]]` table of that number."""
        if number >= 0 and number >= len(self._heads) - 1:
            return 0
        first = 1 if number < 0 else self._heads[number]
        last = len(self._lines) if number < 0 else self._heads[number + 1] - 1
        written = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=|\s*\[+\s*{re.escape(key)}\s*\]+")
        for line in range(first, last + 1):
            if written.match(self._lines[line - 1]):
                return line
        return first if number >= 0 else 0
