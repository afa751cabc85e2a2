"""Which of several workers sends down to the sites: a row with an end, renewed while its holder lives.

Two senders of one bundle would do no harm, for duplicates are absorbed; they would pay for the site's line
twice. So where clocks disagree or step, the doubt is settled in favour of sending.
"""

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from chevet.relay.archive.database import Database
from chevet.relay.archive.schema import Found
from chevet.relay.archive.schema_lease import leases, overheard

DOWNLINK: Final = "downlink"
LEASE_MS: Final = 15_000
KEPT_MS: Final = 60_000
"""What was overheard and not taken for so long is out of date: the site is asked again anyway."""


class Lease:
    """One process's hold on the downlink."""

    def __init__(self, database: Database, holder: str, now_ms: Callable[[], int]) -> None:
        """Stand on the archive; `holder` must differ between processes."""
        self._database = database
        self._holder = holder
        self._now_ms = now_ms

    def take(self, told: int) -> int | None:
        """Take or renew the lease; None while another holds it.

        Args:
            told: the last receipt this process knows as told; kept where it is the newer one, or the first.

        Returns:
            the number of the last receipt that went out as news, whoever sent it.
        """
        now = self._now_ms()
        with self._database.read() as connection:
            if not self._free(_row(connection), now):
                return None
        with self._database.write() as connection:
            row = _row(connection)
            if row is None:
                values = {"name": DOWNLINK, "holder": self._holder, "until_ms": now + LEASE_MS, "told": told}
                connection.execute(insert(leases).values(**values))
                return told
            if not self._free(row, now):
                return None
            last = max(told, row.told) if row.holder == self._holder else int(row.told)
            connection.execute(
                update(leases)
                .where(leases.c.name == DOWNLINK)
                .values(holder=self._holder, until_ms=now + LEASE_MS, told=last)
            )
        return last

    def _free(self, row: Found | None, now_ms: int) -> bool:
        """Tell whether this process may have the lease.

        An end further off than any lease lasts was written by a clock that is not ours.
        """
        held = row is not None and now_ms < row.until_ms <= now_ms + LEASE_MS
        return row is None or row.holder == self._holder or not held

    @staticmethod
    def holder(connection: Connection, now_ms: int) -> str:
        """Return who holds the lease now, "" for nobody: a relay that runs on this archive."""
        row = _row(connection)
        held = row is not None and now_ms < row.until_ms <= now_ms + LEASE_MS
        return str(row.holder) if row is not None and held else ""

    def give_back(self, told: int) -> None:
        """Let another worker take over at once; nothing where the lease is not ours."""
        with self._database.write() as connection:
            connection.execute(
                update(leases)
                .where(leases.c.name == DOWNLINK, leases.c.holder == self._holder)
                .values(until_ms=0, told=told)
            )

    def pass_on(self, site: str, payload: bytes) -> None:
        """Leave what a site said for the worker that sends; an empty payload says that the site is there."""
        now = self._now_ms()
        with self._database.write() as connection:
            connection.execute(delete(overheard).where(overheard.c.at_ms < now - KEPT_MS))
            connection.execute(insert(overheard).values(site=site, payload=payload, at_ms=now))

    def collect(self) -> list[tuple[str, bytes]]:
        """Return, once, what the others left: (site, payload), oldest first."""
        query = select(overheard).order_by(overheard.c.number)
        with self._database.read() as connection:
            if connection.execute(select(overheard.c.number).limit(1)).first() is None:
                return []
        with self._database.write() as connection:
            rows = connection.execute(query).all()
            connection.execute(delete(overheard).where(overheard.c.number <= rows[-1].number))
        return [(row.site, bytes(row.payload)) for row in rows]


def _row(connection: Connection) -> Found | None:
    return connection.execute(select(leases).where(leases.c.name == DOWNLINK)).first()
