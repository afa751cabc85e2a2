"""The patient's card: a QR code that says which record of this box, and nothing else.

A scanner types what it reads like a keyboard, so the text uses only letters that lie on the same keys of
English, French and German keyboards: after the mark TX the 16 letters of LETTERS for the 32 hexadecimal
digits of the patient's id, then two for the sum of its bytes modulo 256. No name and no number is in it.
"""

import re
from uuid import UUID

import segno

MARK = "TX"
LETTERS = "BCDEFGHIJKLNOPRS"
_CARD = re.compile(rf"^{MARK}([{LETTERS}]{{34}})$")
CODE_LETTERS = "23456789BCDFGHJKLMNPQRSTVWXZ"
"""Of a coded identity: no vowels, so that no word arises, and no 0, 1 or Y that are taken for others."""
CODE_LENGTH = 6
_CODED = re.compile(rf"^Code [{CODE_LETTERS}]{{3}}-[{CODE_LETTERS}]{{3}}$")


def card_text(patient_id: str) -> str:
    """Return what the card of a patient says.

    Raises:
        ValueError: the id is no UUID.
    """
    value = UUID(patient_id)
    return MARK + "".join(LETTERS[int(digit, 16)] for digit in value.hex + f"{sum(value.bytes) % 256:02x}")


def read_card(text: str) -> str | None:
    """Return the patient's id of a scanned text, None when it is no card of ours; letters may be small."""
    found = _CARD.match(text.strip().upper())
    if found is None:
        return None
    digits = "".join(f"{LETTERS.index(letter):x}" for letter in found[1])
    value = UUID(digits[:32])
    return str(value) if sum(value.bytes) % 256 == int(digits[32:], 16) else None


def card_rows(text: str) -> list[str]:
    """Return the QR code (error correction M, for scratched cards) as rows of 0 and 1, without its margin."""
    return ["".join("1" if dark else "0" for dark in row) for row in segno.make_qr(text, error="m").matrix]


def is_coded(name: str) -> bool:
    """Tell whether a patient goes by a code."""
    return bool(_CODED.match(name))


def new_code(random: bytes) -> str:
    """Return the name of a coded identity, such as "Code 7KM-4Q2", from 6 random bytes.

    Raises:
        ValueError: there are too few bytes.
    """
    if len(random) < CODE_LENGTH:
        raise ValueError(f"a code needs {CODE_LENGTH} random bytes")
    letters = "".join(CODE_LETTERS[byte % len(CODE_LETTERS)] for byte in random[:CODE_LENGTH])
    return f"Code {letters[:3]}-{letters[3:]}"
