"""How a journal's records lie on the disk: in the clear with a CRC, or covered with a key of that file.

In the clear: 8-byte mark, then `length u32 | CRC-32 of kind and body u32 | kind u8 | body`.
Covered: another mark, 16 random bytes that name the file, then `length u32 | ciphertext | 16-byte tag`, where
the plaintext is `kind u8 | body` and the nonce is the record's number, so that none can be changed, left out,
doubled or moved. Both little-endian; both are read up to the first record that does not hold.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chevet.edge.at_rest import NONCE_BYTES, TAG_BYTES, DataKey

MARK: Final = b"CHVJRN\x00\x01"
COVERED_MARK: Final = b"CHVJRN\x00\x02"
FILE_ID_BYTES: Final = 16
LARGEST: Final = 32 * 1024 * 1024
"""No camera of the kit gives a larger image; a larger length is a torn frame."""
_FRAME = struct.Struct("<IIB")
_LENGTH = struct.Struct("<I")
_COVER = 1 + TAG_BYTES

Write = Callable[[int, bytes], bytes]
"""Makes the bytes of the next record from its kind and body."""


def begin(key: DataKey | None, random: Callable[[int], bytes]) -> tuple[bytes, Write]:
    """Return the first bytes of a new journal, and what makes its records, to be called in their order."""
    if key is None:
        return MARK, _plain
    file_id = random(FILE_ID_BYTES)
    return COVERED_MARK + file_id, _Covering(key.journal(file_id)).record


def records(file: BinaryIO, key: DataKey | None) -> Iterator[tuple[int, bytes, int]]:
    """Yield kind, body and the place where each record ends, up to the first that does not hold.

    A journal of the other kind (covered without a key, or in the clear with one) has none that holds.
    """
    mark = file.read(len(MARK))
    if key is None and mark == MARK:
        yield from _plain_records(file)
    elif key is not None and mark == COVERED_MARK:
        file_id = file.read(FILE_ID_BYTES)
        if len(file_id) == FILE_ID_BYTES:
            yield from _covered_records(file, key.journal(file_id))


def is_covered(file: BinaryIO) -> bool:
    """Tell whether a journal's first bytes say that it is covered."""
    return file.read(len(MARK)) == COVERED_MARK


class _Covering:
    """Covers the records of one file, counting them."""

    def __init__(self, cipher: AESGCM) -> None:
        self._cipher = cipher
        self._number = 0

    def record(self, kind: int, body: bytes) -> bytes:
        sealed = self._cipher.encrypt(_nonce(self._number), bytes([kind]) + body, None)
        self._number += 1
        return _LENGTH.pack(len(sealed)) + sealed


def _nonce(number: int) -> bytes:
    return number.to_bytes(NONCE_BYTES, "little")


def _plain(kind: int, body: bytes) -> bytes:
    return _FRAME.pack(len(body), zlib.crc32(body, zlib.crc32(bytes([kind]))), kind) + body


def _plain_records(file: BinaryIO) -> Iterator[tuple[int, bytes, int]]:
    while len(head := file.read(_FRAME.size)) == _FRAME.size:
        length, crc, kind = _FRAME.unpack(head)
        if length > LARGEST:
            return
        body = file.read(length)
        if len(body) != length or zlib.crc32(body, zlib.crc32(bytes([kind]))) != crc:
            return
        yield kind, body, file.tell()


def _covered_records(file: BinaryIO, cipher: AESGCM) -> Iterator[tuple[int, bytes, int]]:
    number = 0
    while len(head := file.read(_LENGTH.size)) == _LENGTH.size:
        (length,) = _LENGTH.unpack(head)
        if not _COVER <= length <= LARGEST + _COVER:
            return
        sealed = file.read(length)
        if len(sealed) != length:
            return
        try:
            plain = cipher.decrypt(_nonce(number), sealed, None)
        except InvalidTag:
            return
        yield plain[0], plain[1:], file.tell()
        number += 1
