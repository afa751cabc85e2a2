"""What the box does every few seconds so that it can still write in a year: room, reserve, old rows."""

import logging
from dataclasses import dataclass

from chevet.edge.bedside import Bedside
from chevet.edge.database import Database
from chevet.edge.errors import DiskFull
from chevet.edge.spool import DAY_MS

log = logging.getLogger(__name__)

DROP_AT_ONCE = 10
ROWS_EVERY_S = 3600.0
_OLD = (
    # what only proves that something came, and what could not be used
    "DELETE FROM transfers WHERE state != 'open' AND begun_ms < :before",
    "DELETE FROM dead_letters WHERE at_ms < :before",
    # cases that were answered and read, with all that belongs to them
    "DELETE FROM opinions WHERE case_id IN (SELECT id FROM cases WHERE {done})",
    "DELETE FROM messages WHERE case_id IN (SELECT id FROM cases WHERE {done})",
    "DELETE FROM voices WHERE case_id IN (SELECT id FROM cases WHERE {done})",
    "DELETE FROM captures WHERE visit IN (SELECT id FROM cases WHERE {done})",
    "DELETE FROM visits WHERE id IN (SELECT id FROM cases WHERE {done})",
    "DELETE FROM cases WHERE {done}",
    # people who have not been here since
    "DELETE FROM patients WHERE used_ms < :before AND id NOT IN (SELECT patient FROM visits)",
)
_DONE = "state = 'answered' AND unread = 0 AND created_ms < :before"


@dataclass(slots=True)
class Housekeeping:
    """Keeps room on one box. Nothing that is not at the relay is ever touched."""

    bedside: Bedside
    database: Database
    _rows_at: float | None = None

    def tidy(self) -> None:
        """Do what is due; in a thread.

        Raises:
            OSError, Refusal: no room to do it; it is tried again.
        """
        try:
            self._tidy()
        except DiskFull:
            self.bedside.disk.relieve()  # deleting needs room too: without it none would ever be made
            raise

    def _tidy(self) -> None:
        bedside = self.bedside
        now_ms = bedside.clock.now_ms()
        bedside.disk.keep_reserve()
        bedside.spool.drop_delivered()
        self._make_room()
        self._quiet_logs()
        kept_ms = round(bedside.settings.retention_days * DAY_MS)
        bedside.memory.drop_old(now_ms - kept_ms)
        bedside.cart.imports.drop_used(now_ms - kept_ms)
        now = bedside.clock.monotonic()
        if self._rows_at is None or now - self._rows_at >= ROWS_EVERY_S:
            self._rows_at = now
            self._forget(now_ms - round(bedside.settings.history_days * DAY_MS))

    def _make_room(self) -> None:
        """From 80 % on, delivered studies go before their time, the oldest first."""
        while self.bedside.disk.wants_room():
            if not self.bedside.spool.drop_oldest(DROP_AT_ONCE):
                return
            log.info("the disk fills up: delivered studies were dropped before their time")

    def _quiet_logs(self) -> None:
        """From 90 % on, only warnings are logged."""
        spare = self.bedside.disk.spares()
        logging.getLogger("chevet").setLevel(logging.WARNING if spare else logging.NOTSET)

    def _forget(self, before_ms: int) -> None:
        forgotten = forget_rows(self.database, before_ms) + self.bedside.spool.forget(before_ms)
        if forgotten:
            log.info("%d rows of answered cases were forgotten after their time", forgotten)


def forget_rows(database: Database, before_ms: int) -> int:
    """Delete rows of cases answered and read, made before a time, and of people not seen since."""
    with database.write() as cursor:
        count = 0
        for statement in _OLD:
            cursor.execute(statement.format(done=_DONE), {"before": before_ms})
            count += cursor.rowcount
    if count:
        database.give_back()
    return count
