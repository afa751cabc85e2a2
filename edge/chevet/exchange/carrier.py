"""A stick that carries bundles and receipts where no line does: the same messages, in files.

docs/formats.md, section 11, says every byte.

The stick is a stranger's: it is read in fixed memory, from regular files of known names only, and nothing on
it is believed before Sender or Receiver has verified it. The checksum tells a damaged file from a whole one;
the signatures inside tell who wrote it.
"""

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Self

from chevet.exchange.errors import Refused
from chevet.exchange.manifest import CHUNK, MAX_MANIFEST, read_manifest
from chevet.exchange.messages import MAX_MESSAGE, MAX_RUN, Chunk, ManifestMessage, read, write
from chevet.exchange.storage import Outbox

FOLDER: Final = "chevet"
UP, DOWN, BACK = "up", "down", "back"
"""A bundle of a site; what the relay has for a site; what the site answers to that."""
MAGIC: Final = b"CHVCARRY"
VERSION: Final = 1
MAX_FILE: Final = (512 << 20) + (512 << 20) // 64 + MAX_MANIFEST
"""The largest bundle that a receiver takes, with the heads of its messages."""
MAX_FILES: Final = 20_000
_KINDS: Final = {UP: b"U", DOWN: b"D", BACK: b"B"}
_HEAD: Final = len(MAGIC) + 1 + 1 + 6
_NAME: Final = re.compile(r"([a-z0-9]{1,6})-([0-9a-f]{16})\.up|([a-z0-9]{1,6})\.(down|back)")


class NoStick(Exception):  # noqa: N818 - named for what happened
    """The stick cannot be used; the text names the remedy."""


@dataclass(frozen=True, slots=True)
class Item:
    """One file on the stick, by its name alone; `tid` is empty for all but bundles."""

    name: str
    kind: str
    site: str
    tid: bytes


def up_name(site: str, tid: bytes) -> str:
    """Return the file name of a site's bundle."""
    return f"{site}-{tid.hex()}.{UP}"


class Stick:
    """The folder `chevet` on a stick. Close it, so that the stick can be taken out."""

    def __init__(self, root: Path, *, make: bool = False) -> None:
        """Open the folder, and make it first where wanted.

        Raises:
            NoStick: it is not there, cannot be written, or is no plain folder.
        """
        try:
            if make:
                (root / FOLDER).mkdir(exist_ok=True)
            self._folder = os.open(root / FOLDER, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError as error:
            raise NoStick(
                f"{root / FOLDER} cannot be used ({error.strerror}); is the stick mounted there?"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._folder)

    def items(self) -> list[Item]:
        """Return what lies there under names of ours, by name; everything else is passed over.

        Raises:
            NoStick: more files than any programme puts on a stick.
        """
        found: list[Item] = []
        with os.scandir(self._folder) as entries:
            for seen, entry in enumerate(entries):
                if seen >= MAX_FILES:
                    raise NoStick(f"The stick's folder {FOLDER} holds more than {MAX_FILES} files; empty it.")
                named = _NAME.fullmatch(entry.name)
                if named is not None:
                    tid = bytes.fromhex(named[2] or "")
                    found.append(Item(entry.name, named[4] or UP, named[1] or named[3], tid))
        return sorted(found, key=lambda item: item.name)

    def free(self) -> int:
        """Return the bytes that still fit."""
        there = os.fstatvfs(self._folder)
        return there.f_bavail * there.f_frsize

    def write(self, item: Item, messages: Iterable[bytes]) -> int:
        """Put a file there, whole or not at all; return its bytes.

        Raises:
            OSError: no room, or the stick went away.
        """
        draft = f"{item.name}.part"
        self.remove(draft)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        try:
            with os.fdopen(os.open(draft, flags, 0o600, dir_fd=self._folder), "wb") as file:
                size = write_file(file, item.kind, item.site, messages)
                file.flush()
                os.fsync(file.fileno())
            os.rename(draft, item.name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            os.fsync(self._folder)
        except BaseException:
            self.remove(draft)
            raise
        return size

    def remove(self, name: str) -> None:
        """Take a file away, if it is there."""
        try:
            os.unlink(name, dir_fd=self._folder)
        except FileNotFoundError:
            return

    def check(self, item: Item) -> int:
        """Read a file through once; return its bytes.

        Raises:
            Refused: `not_a_file`, or as `read_file`.
            OSError: the stick cannot be read.
        """
        for _ in self.messages(item):
            pass
        return self.size(item)

    def size(self, item: Item) -> int:
        """Return the bytes of a file, 0 where there is none."""
        try:
            return os.stat(item.name, dir_fd=self._folder, follow_symlinks=False).st_size
        except FileNotFoundError:
            return 0

    def messages(self, item: Item) -> Iterator[bytes]:
        """Give a file's messages one by one, those of a bundle held to its transfer.

        Raises:
            Refused: `not_a_file`, `other_content`, or as `read_file`.
            OSError: the stick cannot be read.
        """
        with self._open(item) as file:
            number = 0
            for number, message in enumerate(read_file(file, item.kind, item.site), 1):
                if item.kind == UP and _tid_of(message, first=number == 1) != item.tid:
                    raise Refused("other_content")
                yield message
            if item.kind == UP and not number:
                raise Refused("other_content")

    def _open(self, item: Item) -> BinaryIO:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe must not make us wait
        try:
            descriptor = os.open(item.name, flags, dir_fd=self._folder)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
                raise Refused("not_a_file") from None
            raise
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode) or about.st_size > MAX_FILE:
            os.close(descriptor)
            raise Refused("too_large" if stat.S_ISREG(about.st_mode) else "not_a_file")
        return os.fdopen(descriptor, "rb")


def write_file(file: BinaryIO, kind: str, site: str, messages: Iterable[bytes]) -> int:
    """Write head, messages and end; return the bytes."""
    head = MAGIC + bytes([VERSION]) + _KINDS[kind] + site.encode().ljust(6, b"\0")
    digest, size = hashlib.sha256(head), len(head)
    file.write(head)
    for message in messages:
        record = len(message).to_bytes(4, "big") + message
        digest.update(record)
        size += file.write(record)
    end = bytes(4)
    digest.update(end)
    return size + file.write(end + digest.digest())


def read_file(file: BinaryIO, kind: str, site: str) -> Iterator[bytes]:
    """Give the messages of a file; only when all were given is it known that the file is whole.

    Memory holds one message at a time, at most 512 KiB.

    Raises:
        Refused: `not_a_carrier`, `other_version`, `other_site`, `too_large`, `cut_short`, `altered`.
    """
    head = _exactly(file, _HEAD)
    if head[:8] != MAGIC or head[9:10] != _KINDS[kind]:
        raise Refused("not_a_carrier")
    if head[8] != VERSION:
        raise Refused("other_version")
    if head[10:].rstrip(b"\0") != site.encode():
        raise Refused("other_site")
    digest = hashlib.sha256(head)
    while True:
        length = _exactly(file, 4)
        digest.update(length)
        size = int.from_bytes(length, "big")
        if size == 0:
            break
        if size > MAX_MESSAGE:
            raise Refused("too_large")
        message = _exactly(file, size)
        digest.update(message)
        yield message
    if _exactly(file, 32) != digest.digest() or file.read(1):
        raise Refused("altered")


def messages_of(outbox: Outbox, manifest: bytes) -> Iterator[bytes]:
    """Give all of a bundle as it would travel over the line, sealed as it is.

    Raises:
        Refused: `unreadable`: the outbox has lost some of its bytes.
    """
    said = read_manifest(manifest)
    yield write(ManifestMessage(manifest))
    for entry in said.objects:
        for first in range(0, entry.chunks, MAX_RUN):
            start = first * CHUNK
            size = min(MAX_RUN * CHUNK, entry.size - start)
            data = outbox.read(said.tid, entry.oid, start, size)
            if len(data) != size:
                raise Refused("unreadable")
            yield write(Chunk(said.tid, entry.oid, first, data))


def file_size(manifest: bytes) -> int:
    """Return how many bytes a bundle takes on the stick, a little more rather than less."""
    said = read_manifest(manifest)
    runs = sum(-(-entry.chunks // MAX_RUN) for entry in said.objects)
    return _HEAD + len(manifest) + said.size + 64 * (runs + 2)


def _tid_of(message: bytes, *, first: bool) -> bytes:
    match read(message):
        case ManifestMessage(manifest) if first:
            return read_manifest(manifest).tid
        case Chunk(tid) if not first:
            return tid
        case _:
            raise Refused("other_content")


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise Refused("cut_short")
    return data
