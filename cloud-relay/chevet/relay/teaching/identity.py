"""What must not be left in a text that is taken for teaching; and an age that names nobody. Pure.

A machine finds names it knows, numbers and dates; it cannot find "the mayor's daughter". So every text is
shown to the person who takes it, and another person approves it before anybody else reads it.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

SHORTEST_NAME: Final = 3
"""Letters: shorter parts of names are words of most languages too."""
NUMBER: Final = re.compile(r"\d(?:[ .-]?\d){5,}")
"""Six digits or more, however grouped: a telephone, a register, an identity card."""
DATE: Final = re.compile(r"\b(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})\b")
WORD: Final = re.compile(r"[^\W\d_]+")
BANDS: Final = ((0, 1), (2, 5), (6, 11), (12, 17), *((ten, ten + 9) for ten in range(20, 90, 10)))
ADULT_FROM: Final = (18, 19)
OLDEST: Final = 90
"""From here on one band: HIPAA's safe harbour (45 CFR 164.514(b)(2)(i)(C)) sets this limit."""


def band(age: int | None) -> str:
    """Return an age in years as a band such as "30-39", "" where it is unknown."""
    if age is None or age < 0:
        return ""
    if age >= OLDEST:
        return f"{OLDEST}+"
    low, high = next(one for one in sorted((*BANDS, ADULT_FROM)) if one[0] <= age <= one[1])
    return f"{low}-{high}"


def identifying(text: str, names: Iterable[str]) -> str:
    """Return what of a text may say who somebody is: "name", "number", "date", or "" for nothing known.

    Args:
        text: what a person wrote.
        names: of the patient, the worker, the site, the register; each part of three letters or more counts.
    """
    said = _folded(text)
    for name in names:
        folded = _folded(name).strip()
        if not folded:
            continue
        if any(mark.isdigit() for mark in folded) and re.search(rf"(?<!\w){re.escape(folded)}(?!\w)", said):
            return "name"
        parts = {part for part in WORD.findall(folded) if len(part) >= SHORTEST_NAME}
        if parts & set(WORD.findall(said)):
            return "name"
    if DATE.search(said):
        return "date"
    return "number" if NUMBER.search(said) else ""


def _folded(text: str) -> str:
    """Return a text without accents, vowel signs and capitals, its digits as 0 to 9."""
    plain = unicodedata.normalize("NFKD", text)
    digits = (str(unicodedata.digit(mark)) if mark.isdecimal() else mark for mark in plain)
    return "".join(mark for mark in digits if not unicodedata.combining(mark)).casefold()
