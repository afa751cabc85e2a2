"""An adaptive binary range coder: bits into bytes at nearly their information, integers only.

The coder is the one of the LZMA format (carry kept back in a byte and a count); a model's probability is the
mean of a quick and a slow estimate, as in later video coding standards.
"""

from typing import Final

from chevet.study.errors import BundleError

_TOP: Final = 1 << 24
_WORD: Final = 0xFFFFFFFF
_ONE: Final = 1 << 16
_QUICK: Final = 4
_SLOW: Final = 7
_TAIL: Final = 8
"""Bytes that a reader may miss at the end, where the writer left zeros out."""

Model = list[int]


def new_models(count: int) -> list[Model]:
    """Return models that expect either bit alike."""
    return [[_ONE // 2, _ONE // 2] for _ in range(count)]


class BitWriter:
    """Turns bits, each with the model that expects it, into bytes."""

    def __init__(self) -> None:
        self.out = bytearray()
        self._low = 0
        self._range = _WORD
        self._kept = 0
        self._pending = 0  # bytes of 0xff after the kept one, through which a carry would run
        self._first = True

    def put(self, bit: int, model: Model) -> None:
        """Append one bit and let the model learn it."""
        quick, slow = model
        bound = (self._range >> 16) * ((quick + slow) >> 1)
        if bit:
            self._range = bound
            model[0] = quick + ((_ONE - quick) >> _QUICK)
            model[1] = slow + ((_ONE - slow) >> _SLOW)
        else:
            self._low += bound
            self._range -= bound
            model[0] = quick - (quick >> _QUICK)
            model[1] = slow - (slow >> _SLOW)
        while self._range < _TOP:
            self._range = (self._range << 8) & _WORD
            self._shift()

    def put_even(self, value: int, bits: int) -> None:
        """Append the lowest `bits` bits of a value, the highest first, that no model expects."""
        for place in range(bits - 1, -1, -1):
            self._range >>= 1
            if value >> place & 1:
                self._low += self._range
            while self._range < _TOP:
                self._range = (self._range << 8) & _WORD
                self._shift()

    def end(self) -> bytes:
        """Return all bytes; zeros at their end are left out."""
        for _ in range(5):
            self._shift()
        return bytes(self.out).rstrip(b"\0")

    def _shift(self) -> None:
        if self._low < 0xFF000000 or self._low > _WORD:
            carry = self._low >> 32
            if not self._first:
                self.out.append((self._kept + carry) & 0xFF)
            self._first = False
            self.out += bytes([(0xFF + carry) & 0xFF]) * self._pending
            self._pending = 0
            self._kept = (self._low >> 24) & 0xFF
        else:
            self._pending += 1
        self._low = (self._low << 8) & _WORD


class BitReader:
    """Gives back what a `BitWriter` took, asked with the same models in the same order."""

    def __init__(self, data: bytes) -> None:
        self._data = data + bytes(_TAIL)
        self._at = 4
        self._code = int.from_bytes(self._data[:4], "big")
        self._range = _WORD

    def take(self, model: Model) -> int:
        """Return one bit and let the model learn it.

        Raises:
            BundleError: the bytes ended before the bits.
        """
        quick, slow = model
        bound = (self._range >> 16) * ((quick + slow) >> 1)
        if self._code < bound:
            self._range = bound
            model[0] = quick + ((_ONE - quick) >> _QUICK)
            model[1] = slow + ((_ONE - slow) >> _SLOW)
            bit = 1
        else:
            self._code -= bound
            self._range -= bound
            model[0] = quick - (quick >> _QUICK)
            model[1] = slow - (slow >> _SLOW)
            bit = 0
        while self._range < _TOP:
            self._shift()
        return bit

    def take_even(self, bits: int) -> int:
        """Return a value of `bits` bits that no model expected.

        Raises:
            BundleError: the bytes ended before the bits.
        """
        value = 0
        for _ in range(bits):
            self._range >>= 1
            bit = self._code >= self._range
            if bit:
                self._code -= self._range
            value = value << 1 | bit
            while self._range < _TOP:
                self._shift()
        return value

    def _shift(self) -> None:
        if self._at >= len(self._data):
            raise BundleError("preview_damaged")
        self._range = (self._range << 8) & _WORD
        self._code = (self._code << 8 | self._data[self._at]) & _WORD
        self._at += 1
