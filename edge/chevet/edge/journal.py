"""A capture on disk while it runs: an append-only file of framed records (journal_frames), covered or not.

A power cut can tear the tail only: reading stops at the first record that does not hold, and what stands
before it is whole. Every capture gets its own file, so a torn tail never hides another one.
"""

import contextlib
import json
import os
import secrets
import struct
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from chevet.devices.samples import Channel, Event, Notice, Picture, Reading, SampleBlock
from chevet.edge.at_rest import DataKey
from chevet.edge.errors import JournalDamaged
from chevet.edge.journal_frames import begin, records
from chevet.study.recording import StoredFile

_BLOCK = struct.Struct("<BBIQd")  # stream, bytes a sample, samples, first, at
_PICTURE = struct.Struct("<dH")  # at, length of the JSON words before the image

OPENING, STREAM, BLOCK, READING, PICTURE, NOTICE, END, SOURCE = range(1, 9)
_DTYPES: dict[int, np.dtype[np.signedinteger[Any]]] = {size: np.dtype(f"<i{size}") for size in (2, 4, 8)}


class JournalFile(Protocol):
    """The part of an open binary file that a journal needs; tests pass one that runs out of room."""

    def write(self, data: bytes, /) -> int:
        """Take `data` into the buffer."""
        ...

    def flush(self) -> None:
        """Hand the buffer to the system."""
        ...

    def fileno(self) -> int:
        """Return the descriptor that fsync needs."""
        ...

    def close(self) -> None:
        """Close; the buffer is handed over first."""
        ...


@dataclass(frozen=True, slots=True)
class Opening:
    """What is known when a capture starts; enough to rebuild it into its visit after a power cut."""

    capture: str
    visit: str
    step: str
    site: str
    side: str
    device: str
    driver: str
    link: str
    seconds: float
    started_ms: int
    started_at: float
    simulated: bool
    identity: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, eq=False)
class Journal:
    """What a journal file tells.

    Attributes:
        opening: from the first record.
        events: in order of arrival.
        end: the reason it ended, or "" when it never did (power cut, kill).
        whole_bytes: length of the readable part, in bytes; the rest is torn.
        source: the file that the events were read from, None where an instrument gave them.
    """

    opening: Opening
    events: tuple[Event, ...]
    end: str
    whole_bytes: int
    source: StoredFile | None = None


class JournalWriter:
    """Appends events; nothing is promised before `sync` has returned.

    `append` only lays records aside, so the event loop waits for no disk and no cipher; `sync` runs in a
    thread.
    """

    def __init__(self, file: JournalFile, opening: Opening, key: DataKey | None = None) -> None:
        self._file = file
        self._head, self._framed = begin(key, secrets.token_bytes)
        self._waiting: list[tuple[int, bytes]] = [(OPENING, json.dumps(asdict(opening)).encode())]
        self._streams: dict[tuple[Channel, ...], int] = {}
        self._disk = threading.Lock()

    @classmethod
    def create(cls, path: Path, opening: Opening, key: DataKey | None = None) -> "JournalWriter":
        """Start the journal `path` and make its first record and its name in the folder durable.

        Raises:
            OSError: the disk is full or gone; nothing of it stays.
        """
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        writer = cls(os.fdopen(descriptor, "wb"), opening, key)
        try:
            writer.sync()
            sync_folder(path.parent)
        except OSError:
            writer.leave()
            path.unlink(missing_ok=True)
            raise
        return writer

    def append(self, event: Event) -> None:
        """Lay one event aside for the next `sync`."""
        match event:
            case SampleBlock():
                self._block(event)
            case Picture():
                words = json.dumps({"media_type": event.media_type, "side": event.side}).encode()
                body = _PICTURE.pack(event.at, len(words)) + words + event.data
                self._waiting.append((PICTURE, body))
            case Reading():
                self._waiting.append((READING, json.dumps(asdict(event)).encode()))
            case Notice():
                self._waiting.append((NOTICE, json.dumps(asdict(event)).encode()))

    def append_source(self, source: StoredFile) -> None:
        """Lay aside the file that the events of this journal were read from."""
        kind = source.media_type.encode()
        self._waiting.append((SOURCE, bytes([len(kind)]) + kind + source.data))

    def _block(self, block: SampleBlock) -> None:
        known = self._streams.get(block.channels)
        if known is None:
            known = self._streams[block.channels] = len(self._streams)
            words = {"stream": known, "channels": [asdict(channel) for channel in block.channels]}
            self._waiting.append((STREAM, json.dumps(words).encode()))
        size = block.values.dtype.itemsize if block.values.dtype.itemsize in _DTYPES else 4
        head = _BLOCK.pack(known, size, block.values.shape[1], block.first, block.at)
        self._waiting.append((BLOCK, head + block.values.astype(_DTYPES[size]).tobytes()))

    def sync(self) -> None:
        """Bring everything appended so far onto the disk.

        Raises:
            OSError: the disk is full or gone; the readable part of the file stays valid.
        """
        with self._disk:
            waiting, self._waiting = self._waiting, []
            if waiting:
                head, self._head = self._head, b""
                self._file.write(b"".join((head, *(self._framed(kind, body) for kind, body in waiting))))
                self._file.flush()
                os.fsync(self._file.fileno())

    def close(self, reason: str) -> None:
        """Write the end mark and close.

        Raises:
            OSError: as `sync`; the file is closed all the same.
        """
        self._waiting.append((END, json.dumps({"reason": reason}).encode()))
        try:
            self.sync()
        finally:
            self.leave()

    def leave(self) -> None:
        """Close without an end mark: what was synced is found again as an interrupted capture."""
        with contextlib.suppress(OSError):
            self._file.close()


def sync_folder(folder: Path) -> None:
    """Make names created in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_journal(path: Path, key: DataKey | None = None) -> Journal:
    """Read `path` up to its last good record.

    Raises:
        JournalDamaged: not even the opening record is whole, or it is not of this key.
    """
    opening: Opening | None = None
    end, whole = "", 0
    source: StoredFile | None = None
    events: list[Event] = []
    streams: dict[int, tuple[Channel, ...]] = {}
    with path.open("rb") as file:
        for kind, body, ends in records(file, key):
            try:
                if opening is None:
                    opening = Opening(**json.loads(body)) if kind == OPENING else None
                elif kind == STREAM:
                    _remember(streams, body)
                elif kind == END:
                    end = str(json.loads(body)["reason"])
                elif kind == SOURCE:
                    source = StoredFile(body[1 + body[0] :], body[1 : 1 + body[0]].decode("ascii"))
                else:
                    events.append(_event(kind, body, streams))
            except (ValueError, KeyError, TypeError, IndexError, struct.error):
                break
            if opening is None:
                break
            whole = ends
    if opening is None:
        raise JournalDamaged(path)
    return Journal(opening, tuple(events), end, whole, source)


def cut_torn_tail(path: Path, key: DataKey | None = None) -> Journal:
    """Read `path` and cut what follows its last good record, durably.

    Raises:
        JournalDamaged: not even the opening record is whole, or it is not of this key; nothing is cut then.
    """
    journal = read_journal(path, key)
    if path.stat().st_size > journal.whole_bytes:
        with path.open("r+b") as file:
            file.truncate(journal.whole_bytes)
            os.fsync(file.fileno())
    return journal


def _remember(streams: dict[int, tuple[Channel, ...]], body: bytes) -> None:
    words = json.loads(body)
    streams[int(words["stream"])] = tuple(Channel(**channel) for channel in words["channels"])


def _event(kind: int, body: bytes, streams: dict[int, tuple[Channel, ...]]) -> Event:
    if kind == BLOCK:
        stream, size, count, first, at = _BLOCK.unpack_from(body)
        channels = streams[stream]
        values = np.frombuffer(body, _DTYPES[size], offset=_BLOCK.size).reshape(len(channels), count)
        return SampleBlock(channels, values, first, at)
    if kind == PICTURE:
        at, length = _PICTURE.unpack_from(body)
        words = json.loads(body[_PICTURE.size : _PICTURE.size + length])
        return Picture(body[_PICTURE.size + length :], words["media_type"], at, words["side"])
    if kind == READING:
        told: dict[str, Any] = json.loads(body)
        return Reading(**(told | {"status": tuple(told["status"])}))
    if kind == NOTICE:
        return Notice(**json.loads(body))
    raise ValueError(kind)
