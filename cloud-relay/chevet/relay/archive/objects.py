"""Stored objects, named by the hash of their content; the content is ciphertext.

Files in a folder (`ObjectFolder`) or a bucket of an S3 store (`object_bucket.ObjectBucket`): both keep the
promises of `Objects`, and the same tests hold them to these.
A file appears under its name only after its bytes and then its folder entry were synced, so a name that
exists is whole: write + rename without fsync lost or corrupted everything in real power cuts.
"""

import errno
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from chevet.relay.errors import ArchiveError, DiskFullError
from chevet.relay.keys import sync_folder

NAME = 64
"""Characters of SHA-256 in hexadecimal."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One object that a store holds: its name, bytes, and how long ago it was put, s by the store's clock."""

    name: str
    bytes: int
    age_s: float


class Objects(Protocol):
    """Immutable objects that any number of processes share.

    Attributes:
        place: where they are, as sentences name it.
        there: whether the store answered when it was last asked; True before.
    """

    place: str
    there: bool

    def put(self, data: bytes) -> str:
        """Store `data` durably; again changes nothing but its age. Return its name: SHA-256 in hexadecimal.

        Raises:
            DiskFullError: no room; nothing is left behind under its name.
            ArchiveError: the store refuses it, or did not keep what it was given.
            StoreAwayError: the store does not answer.
        """

    def get(self, name: str) -> bytes:
        """Return an object's bytes, checked against its name.

        Raises:
            ArchiveError: it is missing or its bytes changed.
            StoreAwayError: the store does not answer.
        """

    def has(self, name: str) -> bool:
        """Tell whether an object is there; its bytes are not looked at."""

    def destroy(self, name: str) -> None:
        """Remove an object for good; one that is gone already stays gone.

        Raises:
            ArchiveError: the store refuses it.
            StoreAwayError: the store does not answer.
        """

    def every(self) -> Iterator[Kept]:
        """Give every object, the names in order; whatever else lies there is passed over."""

    def ready(self) -> None:
        """Return where the store can be used; asked before a writer begins whom it could hold up.

        Raises:
            RelayError: it cannot be; the sentence names the remedy.
        """


class ObjectFolder:
    """A folder of immutable objects that any number of processes share."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.place, self.there = folder, str(folder), True

    def put(self, data: bytes) -> str:
        """Store `data` durably; storing it again makes it young again and changes nothing else."""
        name = hashlib.sha256(data).hexdigest()
        path = self._path(name)
        try:
            if path.exists():
                os.utime(path)  # whoever sweeps leaves what somebody is about to name alone
            else:
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
        """Return an object's bytes, checked against its name."""
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
        """Remove an object for good; one that is gone already stays gone."""
        path = self._path(name)
        try:
            path.unlink(missing_ok=True)
            if path.parent.exists():
                sync_folder(path.parent)
        except OSError as error:
            raise ArchiveError(
                f"Cannot write in {self.folder} ({error.strerror}): check its owner."
            ) from None

    def every(self) -> Iterator[Kept]:
        """Give every object, the names in order; drafts of a cut are none."""
        for path in sorted(self.folder.glob("??/*")):
            if is_name(path.name):
                found = path.stat()
                yield Kept(path.name, found.st_size, time.time() - found.st_mtime)

    def ready(self) -> None:
        """Make the folder where it is missing, and see that it can be written."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ArchiveError(f"Cannot make {self.folder} ({error.strerror}): check its owner.") from None
        if not os.access(self.folder, os.W_OK | os.X_OK):
            raise ArchiveError(f"Cannot write in {self.folder}: check its owner.")

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


def is_name(text: str) -> bool:
    """Tell whether a text is an object's name."""
    return len(text) == NAME and set(text) <= set("0123456789abcdef")
