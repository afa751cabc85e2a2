"""Stored objects as files, named by the hash of their content; the content is ciphertext.

A file appears under its name only after its bytes and then its folder entry were synced, so a name that
exists is whole: write + rename without fsync lost or corrupted everything in real power cuts.
"""

import errno
import hashlib
import os
import secrets
from pathlib import Path

from chevet.relay.errors import ArchiveError, DiskFullError
from chevet.relay.keys import sync_folder


class Objects:
    """A folder of immutable objects that any number of processes share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes) -> str:
        """Store `data` durably; storing it again changes nothing.

        Returns:
            Its name: SHA-256 in hexadecimal.

        Raises:
            DiskFullError: no room; no file is left behind.
            ArchiveError: the folder cannot be written.
        """
        name = hashlib.sha256(data).hexdigest()
        path = self._path(name)
        try:
            if not path.exists():
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._write(path, data)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFullError(str(self.folder)) from None
            raise ArchiveError(
                f"Cannot write in {self.folder} ({error.strerror}): check its owner."
            ) from None
        return name

    def get(self, name: str) -> bytes:
        """Return an object's bytes, checked against its name.

        Raises:
            ArchiveError: it is missing or its bytes changed.
        """
        try:
            data = self._path(name).read_bytes()
        except OSError:
            raise ArchiveError(
                f"Object {name} is missing from {self.folder}: restore it from the backup."
            ) from None
        if hashlib.sha256(data).hexdigest() != name:
            raise ArchiveError(f"Object {name} in {self.folder} is damaged: restore it from the backup.")
        return data

    def has(self, name: str) -> bool:
        """Tell whether an object is there; its bytes are not looked at."""
        return self._path(name).exists()

    def destroy(self, name: str) -> None:
        """Remove an object for good; one that is gone already stays gone.

        Raises:
            ArchiveError: the folder cannot be written.
        """
        path = self._path(name)
        try:
            path.unlink(missing_ok=True)
            if path.parent.exists():
                sync_folder(path.parent)
        except OSError as error:
            raise ArchiveError(
                f"Cannot write in {self.folder} ({error.strerror}): check its owner."
            ) from None

    def _path(self, name: str) -> Path:
        return self.folder / name[:2] / name

    def _write(self, path: Path, data: bytes) -> None:
        draft = path.with_name(f".{secrets.token_hex(8)}")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(path)
            for folder in (path.parent, self.folder):
                sync_folder(folder)
        finally:
            draft.unlink(missing_ok=True)
