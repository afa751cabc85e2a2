"""The support code: how the box is, in thirteen characters that can be read out on the telephone.

It is made of the box's state alone (no log, no name, no address): anybody may read it to anybody.
Layout: FIELDS from the lowest bit up, as twelve digits of Crockford's base 32, most significant first, and
one check digit: the sum of each digit times its place (1 to 12), modulo 31. One digit misread gives another
sum unless 0 was read as Z.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from chevet.edge.errors import SettingsError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DIGITS = 12
_CHECK = 31


@dataclass(frozen=True, slots=True)
class Field:
    """One number of the code, or a word out of `words`; larger numbers are told as the largest."""

    name: str
    bits: int
    words: tuple[str, ...] = ()


FIELDS = (
    Field("major", 4),
    Field("minor", 6),
    Field("patch", 6),
    Field("label", 1, ("", "HTEST")),
    Field("disk", 2, ("ok", "low", "full")),
    Field("free_gb", 5),
    Field("clock", 2, ("synchronised", "free-running", "unknown")),
    Field("uplink", 1, ("online", "offline")),
    Field(
        "contact", 3, ("minute", "ten minutes", "hour", "six hours", "day", "three days", "longer", "never")
    ),
    Field("power", 2, ("mains", "battery", "unknown")),
    Field("battery_tenths", 4),
    Field("heat", 2, ("unknown", "ok", "warm", "hot")),
    Field("waiting", 5),
    Field("refused", 3),
    Field("ready", 4),
    Field("absent", 4),
    Field("up", 3, ("minute", "ten minutes", "hour", "six hours", "day", "three days", "longer", "never")),
)
AGES_S = (60.0, 600.0, 3600.0, 21_600.0, 86_400.0, 259_200.0)
"""Upper ends of the words minute to three days; beyond is longer."""


def age_word(seconds: float | None) -> str:
    """Return the word for an age; None is never."""
    words = next(field.words for field in FIELDS if field.name == "contact")
    if seconds is None:
        return words[-1]
    return next((word for word, end in zip(words, AGES_S, strict=False) if seconds < end), words[6])


def write_code(state: Mapping[str, int | str]) -> str:
    """Return the code of `state` as XXXX-XXXX-XXXXX; words not known are told as the last of their field."""
    packed, shift = 0, 0
    for field in FIELDS:
        packed |= _number(field, state[field.name]) << shift
        shift += field.bits
    digits = [(packed >> (5 * place)) & 31 for place in reversed(range(DIGITS))]
    text = "".join(ALPHABET[digit] for digit in digits) + ALPHABET[_check(digits)]
    return f"{text[:4]}-{text[4:8]}-{text[8:]}"


def read_code(text: str) -> dict[str, int | str]:
    """Return what a code says, as `write_code` was given it.

    Letters may be small; O is read as 0, I and L as 1, and what is no letter or digit is passed over.

    Raises:
        SettingsError: it has another length, an unknown letter, or does not check.
    """
    told = text.upper().translate(str.maketrans("OIL", "011"))
    letters = [letter for letter in told if letter.isascii() and letter.isalnum()]
    if len(letters) != DIGITS + 1 or any(letter not in ALPHABET for letter in letters):
        raise SettingsError("A support code has 13 letters and digits; ask for it to be read again.")
    digits = [ALPHABET.index(letter) for letter in letters]
    if _check(digits[:DIGITS]) != digits[DIGITS]:
        raise SettingsError("This support code does not check; ask for it to be read again, slowly.")
    packed = 0
    for digit in digits[:DIGITS]:
        packed = packed << 5 | digit
    found: dict[str, int | str] = {}
    for field in FIELDS:
        number = packed & ((1 << field.bits) - 1)
        found[field.name] = field.words[min(number, len(field.words) - 1)] if field.words else number
        packed >>= field.bits
    return found


def _number(field: Field, value: int | str) -> int:
    if field.words:
        return field.words.index(str(value)) if value in field.words else len(field.words) - 1
    return max(0, min(int(value), (1 << field.bits) - 1))


def _check(digits: list[int]) -> int:
    return sum(place * digit for place, digit in enumerate(digits, 1)) % _CHECK
