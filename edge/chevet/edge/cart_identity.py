"""Is the person whom a cart's file names the one examined now?"""

import unicodedata

from chevet.devices.ecg_file import FilePatient
from chevet.study.study import Patient

SAME, OTHER, NOT_NAMED = "same", "other", "not_named"
YEARS_APART = 1
"""Some carts know an age instead of a birth year."""
SHORTEST_BEGINNING = 3
"""Carts cut names: so many letters of the same beginning are the same word."""


def compare(named: FilePatient, patient: Patient) -> str:
    """Return SAME, OTHER or NOT_NAMED.

    A patient number only ever confirms, since most carts count by themselves. Names agree when every word of
    the shorter one is, or begins, a word of the longer one, in any order and without accents.
    """
    if named.number and _folded(named.number) == _folded(patient.local_number):
        return OTHER if _contradicts(named, patient) else SAME
    if _contradicts(named, patient):
        return OTHER
    ours, theirs = _words(patient.name), _words(named.name)
    if not theirs:
        return NOT_NAMED
    return SAME if _agree(ours, theirs) else OTHER


def _contradicts(named: FilePatient, patient: Patient) -> bool:
    years = (named.birth_year, patient.birth_year)
    if years[0] is not None and years[1] is not None and abs(years[0] - years[1]) > YEARS_APART:
        return True
    return bool(named.sex and patient.sex and named.sex != patient.sex)


def _agree(ours: list[str], theirs: list[str]) -> bool:
    few, many = sorted((ours, theirs), key=len)
    left = list(many)
    for word in few:
        found = next((other for other in left if _alike(word, other)), None)
        if found is None:
            return False
        left.remove(found)
    return bool(few)


def _alike(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return short == long or (len(short) >= SHORTEST_BEGINNING and long.startswith(short))


def _words(name: str) -> list[str]:
    return "".join(char if char.isalnum() else " " for char in _folded(name)).split()


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))
