"""A fault as a tester sees it: a name, a sentence, a range of values, and a switch that can be thrown."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

Throw = Callable[[bool, str], Awaitable[None] | None]
"""Turns a fault on or off; the text is its value, "" for the usual one. A wrong value raises ValueError."""

USUAL_PROBABILITY = 0.1


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can go wrong with one instrument.

    Attributes:
        throw: turns it on or off.
        tells: what it does, one line.
        value: the range of its value and the usual one, "" for a fault without.
        once: it happens at once and is over, so that there is nothing to turn off.
        kind: "hands" for what a worker does, "wire" for what happens to bytes, "body" for the patient's side.
        reads: reads a value and raises ValueError for a wrong one; None where there is no value to read.
    """

    throw: Throw
    tells: str
    value: str = ""
    once: bool = False
    kind: str = "hands"
    reads: Callable[[str], object] | None = None

    def check(self, value: str) -> None:
        """Refuse a value that the fault would not take.

        Raises:
            ValueError: what the value has to be.
        """
        if self.reads is not None:
            self.reads(value)
        elif value and not self.value:
            raise ValueError("it takes no value")

    def listing(self) -> dict[str, object]:
        """Return its entry for lists."""
        return {"tells": self.tells, "value": self.value, "once": self.once, "kind": self.kind}


Faults = dict[str, Fault]


def number(value: str, low: float, high: float, usual: float) -> float:
    """Return a number from `low` to `high` from a fault's value, `usual` for an empty one.

    Raises:
        ValueError: it is no number, or out of range.
    """
    try:
        found = float(value) if value else usual
    except ValueError:
        raise ValueError(f"could not convert {value!r}: the value is a number, {low:g} to {high:g}") from None
    if not low <= found <= high:
        raise ValueError(f"the value is a number, {low:g} to {high:g}")
    return found


def probability(on: bool, value: str) -> float:
    """Return a probability 0..1 from a fault's value, 0 for one that is off.

    Raises:
        ValueError: it is none.
    """
    if not on:
        return 0.0
    try:
        return number(value, 0.0, 1.0, USUAL_PROBABILITY)
    except ValueError as error:
        raise ValueError(f"{error}: a probability") from None


def choice(value: str, choices: Iterable[str]) -> str:
    """Return `value` if it is one of `choices`.

    Raises:
        ValueError: it is none of them.
    """
    known = tuple(choices)
    if value not in known:
        raise ValueError(f"the value is one of {', '.join(known)}")
    return value


def flag(target: object, name: str, tells: str, kind: str = "hands") -> Fault:
    """Return a fault that is an attribute: True while on."""

    def throw(on: bool, _value: str) -> None:
        setattr(target, name, on)

    return Fault(throw, tells, kind=kind)


def level(
    target: object, name: str, tells: str, span: tuple[float, float, float], unit: str, kind: str = "hands"
) -> Fault:
    """Return a fault that is a number: an attribute, 0 while off.

    Args:
        target: whose attribute.
        name: of the attribute.
        tells: what it does.
        span: lowest, highest and usual value.
        unit: of the value, in words.
        kind: as of `Fault`.
    """
    read = reading(*span)

    def throw(on: bool, value: str) -> None:
        setattr(target, name, read(value) if on else 0.0)

    low, high, usual = span
    return Fault(throw, tells, f"{low:g} to {high:g} {unit} ({usual:g})", kind=kind, reads=read)


def reading(low: float, high: float, usual: float) -> Callable[[str], float]:
    """Return what reads a number from `low` to `high`, `usual` for an empty one."""

    def read(value: str) -> float:
        return number(value, low, high, usual)

    return read


def likely(target: object, name: str, tells: str, kind: str = "wire") -> Fault:
    """Return a fault that happens with a probability: an attribute, 0 while off."""

    def throw(on: bool, value: str) -> None:
        setattr(target, name, probability(on, value))

    return Fault(
        throw,
        tells,
        f"probability 0 to 1 ({USUAL_PROBABILITY:g})",
        kind=kind,
        reads=lambda value: probability(True, value),
    )


def several(value: str, choices: Iterable[str]) -> list[str]:
    """Return the names in `value`, separated by commas; all of `choices` for an empty one.

    Raises:
        ValueError: one of them is unknown.
    """
    known = tuple(choices)
    return [choice(name.strip(), known) for name in value.split(",")] if value else list(known)
