"""Whether a relay can do its work, in coded words; for load balancers and whoever watches."""

import shutil
from dataclasses import dataclass

from sqlalchemy import text

from chevet.relay.errors import RelayError
from chevet.relay.relay import Relay

LEAST_FREE = 64 << 20
"""Bytes below which nothing more is taken in safely."""
OK = "ok"


@dataclass(frozen=True, slots=True)
class Health:
    """Coded words: `archive` ok or unreadable, `disk` ok or full, `broker` online or offline."""

    archive: str
    disk: str
    broker: str

    @property
    def good(self) -> bool:
        """Say whether this process can serve: without a broker it still shows what is there."""
        return (self.archive, self.disk) == (OK, OK)


def health_of(relay: Relay) -> Health:
    """Look at the archive, its disk, and the line to the broker."""
    return Health(
        archive=_archive(relay),
        disk=OK if free_bytes(relay) >= LEAST_FREE else "full",
        broker="online" if relay.broker_seen.online else "offline",
    )


def free_bytes(relay: Relay) -> int:
    """Return the room on the disk of the objects, 0 where it cannot be told."""
    try:
        return shutil.disk_usage(relay.settings.archive).free
    except OSError:
        return 0


def _archive(relay: Relay) -> str:
    try:
        with relay.database.read() as connection:
            connection.execute(text("SELECT seq FROM audit_head")).one()
    except RelayError:
        return "unreadable"
    return OK
