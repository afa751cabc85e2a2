"""Which certificates each site was given, so that revoking a site revokes them."""

from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import func, insert, select

from chevet.relay.archive.database import Database
from chevet.relay.archive.schema import certificates, sites


class Certificates:
    """The certificates of one archive."""

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms

    def add(self, site: str, certificate: x509.Certificate) -> None:
        """Note one before it is given out: none is ever at large that cannot be revoked."""
        with self._database.write() as connection:
            connection.execute(
                insert(certificates).values(
                    serial=f"{certificate.serial_number:x}",
                    site=site,
                    issued_ms=self._now_ms(),
                    expires_ms=int(certificate.not_valid_after_utc.timestamp() * 1000),
                )
            )

    def issued_since(self, site: str, since_ms: int) -> int:
        """Return how many a site got since then."""
        query = (
            select(func.count())
            .select_from(certificates)
            .where(certificates.c.site == site, certificates.c.issued_ms > since_ms)
        )
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def expiry(self) -> dict[str, int]:
        """Return when the newest certificate of each site ends, Unix ms by site."""
        query = select(certificates.c.site, func.max(certificates.c.expires_ms)).group_by(certificates.c.site)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def revoked(self) -> list[int]:
        """Return the serials of revoked sites' certificates that would still be valid."""
        query = (
            select(certificates.c.serial)
            .join(sites, sites.c.code == certificates.c.site)
            .where(sites.c.revoked_ms.is_not(None), certificates.c.expires_ms > self._now_ms())
            .order_by(certificates.c.serial)
        )
        with self._database.read() as connection:
            return [int(serial, 16) for serial in connection.execute(query).scalars()]

    @staticmethod
    def pem(certificate: x509.Certificate) -> str:
        """Return a certificate as text."""
        return certificate.public_bytes(Encoding.PEM).decode()
