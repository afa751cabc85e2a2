"""Layer 0: everything of a study but its samples and images, in about a kilobyte.

A CBOR array without field names, deflated against a dictionary of the words our instruments and screens use
(RFC 1951), so that a whole visit is at the other end within two seconds of a 2G link.
"""

import zlib

from chevet.devices.samples import Reading
from chevet.study import summary_one, summary_two
from chevet.study.cbor import Row, decode, encode
from chevet.study.errors import BundleError
from chevet.study.shape import Shape
from chevet.study.study import Study
from chevet.study.words import DICTIONARY_1, DICTIONARY_2

VERSION = 2
MAX_BYTES = 1 << 20
"""Of an inflated summary: a bomb stops here. A full visit takes about 2 KB,
a recording torn into a thousand gaps 4 KB."""

_READERS = {1: (DICTIONARY_1, summary_one.read_study), VERSION: (DICTIONARY_2, summary_two.read_study)}
DICTIONARY = DICTIONARY_2
_STRATEGIES = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED)


def write_summary(study: Study) -> bytes:
    """Return the study without samples, images and all but the last reading of each kind.

    Raises:
        ValueError: it is larger than a reader takes: over a hundred thousand gaps, or a book for a question.
    """
    plain = encode(summary_two.study_row(study))
    if len(plain) > MAX_BYTES:
        raise ValueError("the summary is over 1 MiB; split the visit, or mend the link that tears recordings")
    return bytes([VERSION]) + min((_deflated(plain, how) for how in _STRATEGIES), key=len)


def read_summary(part0: bytes) -> Study:
    """Return the study of layer 0: recordings have channels and gaps but no samples, pictures no bytes.

    Raises:
        BundleError: the bytes are damaged or of another version.
    """
    study, _ = read_shapes(part0)
    return study


def read_shapes(part0: bytes) -> tuple[Study, dict[str, Shape]]:
    """Return the study of layer 0 and, by recording id, how much its lossless layer holds.

    Raises:
        BundleError: the bytes are damaged or of another version.
    """
    if not part0 or part0[0] not in _READERS:
        raise BundleError("summary_version")
    dictionary, read_study = _READERS[part0[0]]
    row = Row(decode(_inflated(part0[1:], dictionary)))
    shapes: dict[str, Shape] = {}
    study = read_study(row, shapes)
    row.end()
    if len(shapes) != len(study.recordings):
        raise BundleError("duplicate_recording")
    return study, shapes


def last_readings(readings: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """Return the last reading of each kind, in order of first appearance."""
    return summary_two.last_of_each_kind(readings)


def _deflated(plain: bytes, strategy: int) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15, 9, strategy, DICTIONARY_2)
    return deflate.compress(plain) + deflate.flush()


def _inflated(data: bytes, dictionary: bytes) -> bytes:
    inflate = zlib.decompressobj(-15, dictionary)
    try:
        plain = inflate.decompress(data, MAX_BYTES)
    except zlib.error:
        raise BundleError("summary_damaged") from None
    if not inflate.eof or inflate.unused_data:
        raise BundleError("summary_damaged")
    return plain
