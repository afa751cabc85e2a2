"""What a recording holds, computed at the box from its samples and at the archive from its bytes."""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def samples_digest(arrays: Iterable[NDArray[np.signedinteger[Any]]]) -> str:
    """Return SHA-256 over samples as int32, shapes included; "" for none."""
    found = list(arrays)
    if not found:
        return ""
    whole = hashlib.sha256()
    for values in found:
        whole.update(repr(values.shape).encode() + np.ascontiguousarray(values, np.int32).tobytes())
    return whole.hexdigest()
