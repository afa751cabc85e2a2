"""One program at a time works with a data folder."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from chevet.edge.errors import SettingsError


@contextlib.contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold the data folder's lock: two agents on one spool would send everything twice.

    Raises:
        SettingsError: another one holds it, or the folder cannot be written.
    """
    path = data_dir / "agent.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SettingsError(
            f"{data_dir} cannot be written ({error.strerror}); run `chevet-edge init` or correct data_dir."
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise SettingsError(f"Another agent already works with {data_dir}; stop it first.") from None
    try:
        yield
    finally:
        os.close(descriptor)
