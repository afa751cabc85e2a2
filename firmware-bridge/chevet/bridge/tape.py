"""Tapes: what a link gave and took, with times, kept in a file and played back.

A tape holds measurements of whoever was connected: it is for the workbench, not for patients.

Format: the line `chevet-tape 1`, then records: f64 seconds since the first record, u8 direction (0 received,
1 sent), u8 length of the source, u32 length of the data (little-endian), source (ASCII), data. A tape cut off
ends with its last whole record.
"""

import asyncio
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from chevet.bridge.base import Clock, QueuedLink
from chevet.bridge.errors import LinkError, LinkUnavailable
from chevet.bridge.link import AddressedLink, Link
from chevet.bridge.packet import Packet
from chevet.bridge.url import split_url

MAGIC = b"chevet-tape 1\n"
RECORD = struct.Struct("<dBBI")
MAX_DATA = 64 << 20
"""A record that promises more is no record."""


@dataclass(frozen=True, slots=True)
class TapeRecord:
    """One packet on a tape: seconds since the start, sent or received, and what."""

    at_s: float
    sent: bool
    data: bytes
    source: str = ""


def encode_record(record: TapeRecord) -> bytes:
    """Return `record` as it stands on a tape.

    Raises:
        ValueError: source over 255 characters.
    """
    source = record.source.encode("ascii")
    if len(source) > 255:
        raise ValueError("a source has at most 255 characters")
    return RECORD.pack(record.at_s, record.sent, len(source), len(record.data)) + source + record.data


def read_tape(file: BinaryIO) -> Iterator[TapeRecord]:
    """Yield the records of a tape, up to the last whole one.

    Raises:
        ValueError: this is no tape.
    """
    if file.read(len(MAGIC)) != MAGIC:
        raise ValueError("not a tape: it does not begin with 'chevet-tape 1'")
    while len(head := file.read(RECORD.size)) == RECORD.size:
        at_s, sent, source_size, size = RECORD.unpack(head)
        if size > MAX_DATA or not at_s >= 0:
            return
        source, data = file.read(source_size), file.read(size)
        if len(source) < source_size or len(data) < size:
            return
        yield TapeRecord(at_s, bool(sent), data, source.decode("ascii", "replace"))


class RecordingLink:
    """Any link, with everything that passes written to a tape."""

    def __init__(self, link: Link, path: Path, clock: Clock) -> None:
        self._link = link
        self._path = path
        self._clock = clock
        self._file: BinaryIO | None = None
        self._started = 0.0
        self.url = link.url

    @property
    def dropped(self) -> int:
        """Packets that nobody received in time."""
        return self._link.dropped

    @dropped.setter
    def dropped(self, count: int) -> None:
        self._link.dropped = count

    async def open(self) -> None:
        """Open the link under it."""
        await self._link.open()

    async def receive(self) -> Packet:
        """Return the next packet, once it is on the tape."""
        packet = await self._link.receive()
        self._write(packet.at, False, packet.data, packet.source)
        return packet

    async def send(self, data: bytes) -> None:
        """Send `data` and note it on the tape."""
        await self._link.send(data)
        self._write(self._clock(), True, data, "")

    async def write(self, target: str, data: bytes) -> None:
        """Write to one place of the device and note it on the tape.

        Raises:
            LinkError: "not_writable" where the link knows no places, or as the link says.
        """
        if not isinstance(self._link, AddressedLink):
            raise LinkError(self.url, "not_writable")
        await self._link.write(target, data)
        self._write(self._clock(), True, data, target)

    async def aclose(self) -> None:
        """Close the link and the tape."""
        await self._link.aclose()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, at: float, sent: bool, data: bytes, source: str) -> None:
        if self._file is None:
            self._file = self._path.open("wb")
            self._file.write(MAGIC)
            self._started = at
        since = max(0.0, at - self._started)
        self._file.write(encode_record(TapeRecord(since, sent, data, source)))
        self._file.flush()


class TapeLink(QueuedLink):
    """`tape:/path/file.tape?speed=1` plays what was received at the pace it came; `speed=0` without waiting.

    What is sent is taken and forgotten. Packets carry the times of the tape (divided by the speed), counted
    from the opening, so that a driver sees the same rates at any speed of the machine.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        super().__init__(url, clock)
        self._parts = split_url(url, options=frozenset({"speed"}))
        self._speed = self._parts.number("speed", 1.0)
        self._records: Iterator[TapeRecord] = iter(())
        self._file: BinaryIO | None = None
        self._started = 0.0

    async def _connect(self) -> None:
        try:
            self._file = Path(self._parts.target).open("rb")  # noqa: ASYNC230, SIM115 (a local file; closed below)
            check = self._file.read(len(MAGIC))
            self._file.seek(0)
        except FileNotFoundError:
            raise LinkUnavailable(self.url, "not_found") from None
        except OSError as error:
            raise LinkUnavailable(self.url, "no_permission") from error
        if check != MAGIC:
            self._file.close()
            raise LinkUnavailable(self.url, "wrong_device")
        self._records = read_tape(self._file)
        self._started = self._clock()

    async def receive(self) -> Packet:
        """Return the next packet of the tape when its time has come.

        Raises:
            LinkUnavailable: no such tape.
            LinkLost: the tape has ended.
        """
        await self.open()
        record = next((record for record in self._records if not record.sent), None)
        if record is None:
            self._lose("ended")
            return await super().receive()
        at = self._started + record.at_s / (self._speed or 1.0)
        await asyncio.sleep(max(0.0, at - self._clock()) if self._speed else 0.0)
        return Packet(record.data, at, record.source)

    async def send(self, data: bytes) -> None:  # noqa: ARG002 (a tape listens to nobody)
        """Take `data` and forget it."""
        await self.open()

    async def _disconnect(self) -> None:
        self._records = iter(())
        if self._file is not None:
            self._file.close()
            self._file = None
