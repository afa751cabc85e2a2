"""One program at a time works with a folder."""

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
    with held(
        data_dir / "agent.lock",
        taken=f"Another agent already works with {data_dir}; stop it first.",
        shut="run `chevet-edge init` or correct data_dir.",
    ):
        yield


@contextlib.contextmanager
def held(path: Path, *, taken: str, shut: str) -> Iterator[None]:
    """Hold a lock, which ends with this process whatever becomes of it.

    Args:
        path: the lock's file.
        taken: what to say where another one holds it.
        shut: what to do where its folder cannot be written.

    Raises:
        SettingsError: `taken`, or that the folder cannot be written and `shut`.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SettingsError(f"{path.parent} cannot be written ({error.strerror}); {shut}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise SettingsError(taken) from None
    try:
        yield
    finally:
        os.close(descriptor)
