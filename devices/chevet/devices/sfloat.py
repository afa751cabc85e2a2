"""The medical SFLOAT: IEEE 11073-20601, 16 bits, decimal."""

SPECIALS = frozenset({0x07FE, 0x07FF, 0x0800, 0x0801, 0x0802})
"""+INF, NaN, "not at this resolution", reserved, -INF: none of them is a number."""


def sfloat(word: int) -> float | None:
    """Return what the 16 bits of `word` say, or None where they say that there is no number.

    The exponent (bits 15 to 12) and the mantissa (bits 11 to 0) are two's complement; value = mantissa *
    10^exponent. Cheap devices put a plain integer below 2048 here, which reads the same.
    """
    if word in SPECIALS:
        return None
    exponent, mantissa = word >> 12, word & 0x0FFF
    exponent -= 16 if exponent >= 8 else 0
    mantissa -= 4096 if mantissa >= 2048 else 0
    return float(f"{mantissa}e{exponent}")  # correctly rounded, unlike mantissa * 10.0**exponent
