"""Whom to ask for an answer: the rules that order a coordinator's list, and choose where that is automatic.

Pure: cases and people come in, an order comes out. In this order: who has the specialty (a generalist where
nobody has), who is on call now, who speaks the patient's language, who has least to answer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GENERAL = "general"


@dataclass(frozen=True, slots=True)
class Person:
    """A specialist who may be asked; `load` counts cases that wait for them."""

    id: str
    name: str
    specialty: str
    languages: tuple[str, ...]
    on_call: bool
    load: int


@dataclass(frozen=True, slots=True)
class Need:
    """What a case asks of who answers it; "" where the relay cannot know."""

    specialty: str
    language: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One person in the order of a case, with the rules that speak for them."""

    person: Person
    why: tuple[str, ...]


def ranked(need: Need, people: Sequence[Person]) -> list[Choice]:
    """Return who may be asked, the best first; nobody of another specialty than the case's or general."""
    able = [one for one in people if _fits(need, one)] or [one for one in people if one.specialty == GENERAL]
    choices = [Choice(one, _why(need, one)) for one in able]
    return sorted(choices, key=_order)


def chosen(need: Need, people: Sequence[Person]) -> Person | None:
    """Return whom automatic allocation asks, None where nobody fits."""
    order = ranked(need, people)
    return order[0].person if order else None


def of_specialty(specialty: str, people: Iterable[Person]) -> list[Person]:
    """Return everybody who could answer a case of this specialty, by id."""
    return sorted((one for one in people if _fits(Need(specialty, ""), one)), key=lambda one: one.id)


def _fits(need: Need, one: Person) -> bool:
    return not need.specialty or one.specialty == need.specialty


def _why(need: Need, one: Person) -> tuple[str, ...]:
    said = {
        "specialty": bool(need.specialty) and one.specialty == need.specialty,
        "on_call": one.on_call,
        "language": bool(need.language) and need.language in one.languages,
    }
    return tuple(word for word, holds in said.items() if holds)


def _order(choice: Choice) -> tuple[bool, bool, int, str]:
    one = choice.person
    return not one.on_call, "language" not in choice.why, one.load, one.id
