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
    """Coded words, good ones and bad ones.

    Archive ok or unreadable, disk ok or full, objects ok or away, broker online or offline.

    A store that is away takes nobody's desk away: what it says of a case is still there.
    """

    archive: str
    disk: str
    objects: str
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
        objects=OK if relay.objects.there else "away",
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
