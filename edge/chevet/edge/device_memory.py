"""What instruments had stored, and how far their clocks are off: kept apart from what they measure now.

A reading out of a device's memory is of the past and maybe of another person. It goes into no recording, on
no live screen and among no vital signs; it is kept here, once, with the device's own time of it.
"""

import asyncio
import datetime
import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chevet.bridge.errors import LinkError, LinkLost
from chevet.bridge.link import AddressedLink, Link
from chevet.devices.driver import Driver
from chevet.devices.memory import FROM_STORAGE, AsksTime, KeepsRecords, SetsClock
from chevet.devices.samples import Event, Notice, Reading
from chevet.edge.database import Database
from chevet.edge.errors import DiskFull

log = logging.getLogger(__name__)

FLUSH_S = 0.5
PENDING_AT_MOST = 400_000
"""Two days of an oximeter's numbers, once a second: more than any of them stores."""
SHOWN_AT_MOST = 200
ONLY_STORED = frozenset({"glucose"})
"""Instruments that give every measurement out of their memory, also that of a minute ago."""
FRESH_S, AHEAD_S = 600.0, 60.0
"""A measurement so old, or by a clock so much ahead, may be of the patient who is there (as in meters.py)."""


@dataclass(frozen=True, slots=True)
class StoredReading:
    """One number out of a device's memory.

    Attributes:
        taken: when, by the device's own clock (ISO 8601 without a zone), "" where it does not say.
        clock_offset_s: how much that clock was ahead of the box's when it was fetched, None where unknown.
        fetched_ms: when it came to the box.
    """

    device: str
    kind: str
    value: float | None
    unit: str
    status: tuple[str, ...]
    taken: str
    clock_offset_s: float | None
    fetched_ms: int


class DeviceMemory:
    """Keeps stored readings and, for each device, the mark up to which it has them."""

    def __init__(
        self, database: Database, now_ms: Callable[[], int], clock_quality: Callable[[], str]
    ) -> None:
        self._database = database
        self._now_ms = now_ms
        self._clock_quality = clock_quality
        rows = database.rows("SELECT origin, mark FROM device_marks")
        self._marks: dict[str, str] = {row["origin"]: row["mark"] for row in rows}
        self._pending: list[tuple[str, str, float | None, Event]] = []
        self._overflown: set[str] = set()

    def mark(self, link: str) -> str:
        """Return what the driver of this link last said that the box has; "" for nothing."""
        return self._marks.get(origin(link), "")

    def local_time(self) -> datetime.datetime:
        """Return the box's time on the wall, without a zone, as devices have it."""
        return datetime.datetime.fromtimestamp(self._now_ms() / 1000)

    def trusts_clock(self) -> bool:
        """Whether the box's clock is good enough to set others by it."""
        return self._clock_quality() == "synchronised"

    def offset_s(self, told: str, at: float, now: float) -> float | None:
        """Return by how much a device's clock is ahead of the box's.

        Args:
            told: the device's time, ISO 8601.
            at: monotonic time at which it told so.
            now: monotonic time of this call.
        """
        try:
            theirs = datetime.datetime.fromisoformat(told)
        except ValueError:
            return None
        ours = self.local_time() - datetime.timedelta(seconds=max(0.0, now - at))
        return round((theirs - ours).total_seconds(), 1)

    def fresh(self, kind: str, event: Event, offset_s: float | None, now: float) -> Reading | None:
        """Return a stored reading as one of now, placed at its own time, where it was taken a moment ago.

        Only of instruments that have no other way to tell it, and only where their clock was compared.

        Args:
            kind: of the instrument.
            event: about what it had stored.
            offset_s: how much its clock is ahead.
            now: monotonic time.
        """
        if kind not in ONLY_STORED or offset_s is None or not isinstance(event, Reading):
            return None
        taken = _taken(event)
        try:
            then = datetime.datetime.fromisoformat(taken) - datetime.timedelta(seconds=offset_s)
        except (ValueError, OverflowError):
            return None
        age_s = (self.local_time() - then).total_seconds()
        if not -AHEAD_S <= age_s <= FRESH_S:
            return None
        words = tuple(word for word in event.status if word != FROM_STORAGE)
        return Reading(event.kind, event.value, event.unit, now - max(0.0, age_s), words)

    def take(self, device: str, link: str, offset_s: float | None, event: Event) -> None:
        """Take a stored reading, or the notice that all have come; returns at once."""
        key = origin(link)
        if len(self._pending) >= PENDING_AT_MOST:
            self._overflown.add(key)  # its mark must not move past what is dropped here
            return
        self._pending.append((device, key, offset_s, event))

    async def run(self) -> None:
        """Bring what came to disk twice a second; until cancelled."""
        try:
            while True:
                await asyncio.sleep(FLUSH_S)
                if self._pending:
                    await asyncio.to_thread(self.flush)
        finally:
            self.flush()

    def flush(self) -> None:
        """Make durable what came; on a full disk it is given up and will be fetched again."""
        pending, self._pending = self._pending, []
        if not pending:
            return
        marks: dict[str, str] = {}
        for _, key, _, event in pending:
            if isinstance(event, Notice) and key in self._overflown:
                self._overflown.discard(key)  # the next fetch begins anew
            elif isinstance(event, Notice):
                marks[key] = event.detail
        fetched_ms = self._now_ms()
        rows = [
            _row(device, key, offset_s, event, fetched_ms)
            for device, key, offset_s, event in pending
            if isinstance(event, Reading)
        ]
        try:
            with self._database.write() as cursor:
                cursor.executemany("INSERT OR IGNORE INTO stored_readings VALUES (?,?,?,?,?,?,?,?,?)", rows)
                cursor.executemany("INSERT OR REPLACE INTO device_marks VALUES (?,?)", list(marks.items()))
        except DiskFull:
            log.warning("stored readings of instruments must wait: no room")
            return
        self._marks |= marks

    def recent(self) -> list[StoredReading]:
        """Return the newest, at most 200, the last taken first."""
        rows = self._database.rows(
            "SELECT * FROM stored_readings ORDER BY fetched_ms DESC, taken DESC, rowid DESC LIMIT ?",
            (SHOWN_AT_MOST,),
        )
        return [
            StoredReading(
                row["device"],
                row["kind"],
                row["value"],
                row["unit"],
                tuple(json.loads(row["status"])),
                row["taken"],
                row["offset_s"],
                row["fetched_ms"],
            )
            for row in rows
        ]

    def drop_old(self, older_than_ms: int) -> None:
        """Forget readings that were fetched before; the marks stay, so they do not come again."""
        with self._database.write() as cursor:
            cursor.execute("DELETE FROM stored_readings WHERE fetched_ms < ?", (older_than_ms,))


def origin(link: str) -> str:
    """Return what tells one device from another that takes its place, without the address itself."""
    return hashlib.sha256(link.partition("?")[0].encode()).hexdigest()[:16]


def _taken(reading: Reading) -> str:
    return next((word[6:] for word in reading.status if word.startswith("taken=")), "")


def _row(device: str, key: str, offset_s: float | None, reading: Reading, fetched_ms: int) -> tuple[Any, ...]:
    taken = _taken(reading)
    status = json.dumps(reading.status)
    return device, key, reading.kind, reading.value, reading.unit, status, taken, offset_s, fetched_ms


def brief(driver: Driver, link: str, memory: DeviceMemory) -> None:
    """Tell a driver, before its start, up to where the box has what its device stored."""
    if isinstance(driver, KeepsRecords):
        driver.remember(memory.mark(link))


async def set_clock(driver: Driver, link: Link, memory: DeviceMemory) -> bool:
    """Set the device's clock where driver, link and the box's own clock allow it; return whether it was.

    Raises:
        LinkLost: the device went away.
    """
    if not (isinstance(driver, SetsClock) and isinstance(link, AddressedLink) and memory.trusts_clock()):
        return False
    for write in driver.set_clock(memory.local_time()):
        try:
            await link.write(write.target, write.data)
        except LinkLost:
            raise
        except LinkError as error:
            if error.reason != "not_writable":  # that is most devices: nothing to tell
                log.info("a clock was not set: %s", error.reason)
            return False
    return True


async def ask_time(driver: Driver, link: Link) -> None:
    """Ask a device for its time where it answers such a question.

    Raises:
        LinkLost: the device went away.
    """
    if not isinstance(driver, AsksTime):
        return
    try:
        await link.send(driver.ask_time())
    except LinkLost:
        raise
    except LinkError as error:  # the link names nothing to write to: then it is not asked
        log.debug("a clock was not asked: %s", error.reason)
